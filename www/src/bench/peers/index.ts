/** The engines of the browser, in the order shown. */
import { litert, litertGpu } from './litert.js';
import { lucarne } from './lucarne.js';
import { onnxruntime, onnxruntimeGpu } from './onnxruntime.js';
import type { Peer } from './peer.js';
import { tensorflow } from './tensorflow.js';

export const PEERS: readonly Peer[] = [lucarne, litert, onnxruntime, tensorflow, litertGpu, onnxruntimeGpu];
