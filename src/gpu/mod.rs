//! Networks on the GPU, through WebGPU: a plain description of what is computed ([`ir`]) becomes kernels and buffers planned
//! once. The engine, the browser and the clock are not known here.

pub mod ir;
mod shapes;
