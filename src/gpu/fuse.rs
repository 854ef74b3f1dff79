//! Which nodes become one kernel. Element-wise chains are computed where the operator before them writes its result; views
//! (slices, transpositions, broadcasts) are read in place by element-wise kernels; parts of a concatenation are written
//! in place.

use std::collections::{BTreeMap, HashMap};

use super::access::Access;
use super::expr::Expr;
use super::ir::{Binary, Graph, Op, ValueId};

/// Most storage buffers that a kernel binds, its result included.
pub(super) const BUFFERS: usize = 8;
/// Most operators of a fused expression.
const LONGEST: usize = 64;

/// An array that an expression reads, over the shape of its group.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Load {
    pub value: ValueId,
    pub access: Access,
    pub guard: Option<Guard>,
}

/// Outside some ranges of coordinates there is nothing to read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Guard {
    /// `(axis, from, to)`.
    pub ranges: Vec<(usize, usize, usize)>,
    /// What is there instead.
    pub fill: f32,
}

/// What one kernel (or a few, by parts) computes: an operator, then an expression of its result.
#[derive(Clone, Debug)]
pub(super) struct Group {
    /// The node, unless all is element-wise.
    pub anchor: Option<usize>,
    pub loads: Vec<Load>,
    pub expr: Expr,
    pub shape: Vec<usize>,
    /// The buffer that is written, and where.
    pub out: ValueId,
    pub store: Access,
    /// Order of execution.
    at: (usize, usize),
}

impl Group {
    fn buffers(&self, graph: &Graph) -> usize {
        let own = self.anchor.map_or(0, |node| reads(&graph.nodes[node].op));
        own + distinct(&self.loads) + 1
    }
}

/// Buffers that the operator itself reads.
fn reads(op: &Op) -> usize {
    match op {
        Op::Taps { .. } => 3,
        Op::Conv { .. } | Op::ConvTransposed { .. } | Op::Contract(_) | Op::MaxPoolAdjoint(_) => 2,
        _ => 1,
    }
}

fn distinct(loads: &[Load]) -> usize {
    let repeated = |(i, load): &(usize, &Load)| !loads[..*i].iter().any(|l| l.value == load.value);
    loads.iter().enumerate().filter(repeated).count()
}

/// A graph as groups in the order of execution.
#[derive(Debug)]
pub(super) struct Fused {
    pub groups: Vec<Group>,
    /// For each value the one whose buffer holds it.
    pub root: Vec<ValueId>,
}

struct Fusing<'g> {
    graph: &'g Graph,
    uses: Vec<usize>,
    root: Vec<ValueId>,
    /// By the value that they compute.
    pending: BTreeMap<ValueId, Group>,
    /// Values that are only another way to read an array.
    views: HashMap<ValueId, Load>,
    done: Vec<Group>,
    order: usize,
}

/// Groups of all nodes that the outputs need.
pub(super) fn fuse(graph: &Graph) -> Fused {
    let mut uses = vec![0; graph.values.len()];
    for output in &graph.outputs {
        uses[output.0] += 1;
    }
    let mut needed = vec![false; graph.nodes.len()];
    for (i, node) in graph.nodes.iter().enumerate().rev() {
        if uses[node.output.0] > 0 {
            needed[i] = true;
            for input in &node.inputs {
                uses[input.0] += 1;
            }
        }
    }
    let mut this = Fusing {
        graph,
        uses,
        root: (0..graph.values.len()).map(ValueId).collect(),
        pending: BTreeMap::new(),
        views: HashMap::new(),
        done: vec![],
        order: 0,
    };
    for i in (0..graph.nodes.len()).filter(|&i| needed[i]) {
        this.node(i);
    }
    for output in &graph.outputs {
        this.settle(*output, graph.nodes.len());
    }
    let mut groups = this.done;
    groups.extend(this.pending.into_values());
    groups.sort_by_key(|group| group.at);
    Fused {
        groups,
        root: this.root,
    }
}

impl Fusing<'_> {
    fn shape(&self, id: ValueId) -> &[usize] {
        self.graph.shape(id)
    }

    fn next(&mut self, node: usize) -> (usize, usize) {
        self.order += 1;
        (node, self.order)
    }

    /// How the whole of a value is read.
    fn load(&self, id: ValueId) -> Load {
        self.views.get(&id).cloned().unwrap_or_else(|| Load {
            value: self.root[id.0],
            access: Access::dense(self.shape(id)),
            guard: None,
        })
    }

    /// Makes sure that a value lies in a buffer, row-major.
    fn settle(&mut self, id: ValueId, node: usize) {
        if let Some(load) = self.views.remove(&id) {
            if load.access.is_dense(self.shape(id)) {
                self.root[id.0] = load.value;
            } else {
                self.copy(load, id, node);
            }
        }
    }

    fn copy(&mut self, load: Load, id: ValueId, node: usize) {
        let shape = self.shape(id).to_vec();
        let group = Group {
            anchor: None,
            loads: vec![load],
            expr: Expr::Load(0),
            store: Access::dense(&shape),
            shape,
            out: id,
            at: self.next(node),
        };
        self.pending.insert(id, group);
    }

    fn node(&mut self, i: usize) {
        let graph = self.graph;
        let node = &graph.nodes[i];
        let x = node.inputs[0];
        match &node.op {
            Op::Unary(f) => {
                let mut group = self.group(i);
                let a = self.operand(&mut group, x);
                group.expr = Expr::Unary(*f, Box::new(a));
                self.pending.insert(node.output, group);
            }
            Op::Binary(f) => {
                let mut group = self.group(i);
                let a = self.operand(&mut group, x);
                let b = self.operand(&mut group, node.inputs[1]);
                group.expr = Expr::Binary(*f, Box::new(a), Box::new(b));
                self.pending.insert(node.output, group);
            }
            Op::Select => {
                let mut group = self.group(i);
                let [c, a, b] = [x, node.inputs[1], node.inputs[2]].map(|id| Box::new(self.operand(&mut group, id)));
                group.expr = Expr::Select(c, a, b);
                self.pending.insert(node.output, group);
            }
            Op::Reshape { .. } => {
                self.settle(x, i);
                self.root[node.output.0] = self.root[x.0];
            }
            Op::Broadcast { shape } => self.view(i, |access, from| access.broadcast(from, shape)),
            Op::Transpose { permutation } => self.view(i, |access, _| access.transpose(permutation)),
            Op::Slice { axis, start, step, .. } => self.view(i, |access, _| access.slice(*axis, *start, *step)),
            Op::Pad { before, value, .. } => {
                let mut load = self.load(x);
                let shape = self.shape(x);
                for (step, &before) in load.access.steps.iter().zip(before) {
                    load.access.offset -= step * before as isize;
                }
                let added = (0..shape.len()).filter(|&axis| shape[axis] != self.shape(node.output)[axis]);
                load.guard = Some(Guard {
                    ranges: added
                        .map(|axis| (axis, before[axis], before[axis] + shape[axis]))
                        .collect(),
                    fill: *value,
                });
                self.copy(load, node.output, i);
            }
            Op::Concat { axis } => self.concat(i, *axis),
            op => {
                for &input in &node.inputs {
                    self.settle(input, i);
                }
                let mut group = self.group(i);
                group.anchor = Some(i);
                if let (Op::Conv { .. } | Op::ConvTransposed { .. }, Some(&bias)) = (op, node.inputs.get(2)) {
                    let bias = Load {
                        value: self.root[bias.0],
                        access: Access {
                            offset: 0,
                            steps: vec![0, 1, 0, 0],
                        },
                        guard: None,
                    };
                    group.loads.push(bias);
                    group.expr = Expr::Binary(Binary::Add, Box::new(Expr::Result), Box::new(Expr::Load(0)));
                }
                self.pending.insert(node.output, group);
            }
        }
    }

    fn group(&mut self, node: usize) -> Group {
        let out = self.graph.nodes[node].output;
        let shape = self.shape(out).to_vec();
        Group {
            anchor: None,
            loads: vec![],
            expr: Expr::Result,
            store: Access::dense(&shape),
            shape,
            out,
            at: self.next(node),
        }
    }

    fn view(&mut self, i: usize, see: impl FnOnce(Access, &[usize]) -> Access) {
        let node = &self.graph.nodes[i];
        let mut load = self.load(node.inputs[0]);
        load.access = see(load.access, self.shape(node.inputs[0]));
        self.views.insert(node.output, load);
    }

    /// A value in the expression of `group`: its own expression if nobody else needs it, else a load.
    fn operand(&mut self, group: &mut Group, id: ValueId) -> Expr {
        let source = self.views.get(&id).map_or(id, |load| load.value);
        if let Some(value) = self.graph.values[source.0].uniform() {
            return Expr::Constant(value);
        }
        let absorbed = self.pending.get(&id).filter(|inner| {
            self.uses[id.0] == 1
                && inner.shape == group.shape
                && !(inner.anchor.is_some() && group.anchor.is_some())
                && inner.expr.size() + group.expr.size() < LONGEST
        });
        if let Some(inner) = absorbed {
            let mut joined = group.clone();
            joined.anchor = joined.anchor.or(inner.anchor);
            let map: Vec<usize> = inner.loads.iter().map(|load| place(&mut joined.loads, load)).collect();
            // Loads that later operands of this node need have to fit as well.
            if joined.buffers(self.graph) + 2 <= BUFFERS
                && let Some(mut inner) = self.pending.remove(&id)
            {
                inner.expr.shift(&map);
                *group = joined;
                return inner.expr;
            }
        }
        let mut load = self.load(id);
        load.access = load.access.broadcast(self.shape(id), &group.shape);
        Expr::Load(place(&mut group.loads, &load))
    }

    fn concat(&mut self, i: usize, axis: usize) {
        let node = &self.graph.nodes[i];
        let whole = Access::dense(self.shape(node.output));
        let mut start = 0;
        for &input in &node.inputs {
            let part = whole.clone().slice(axis, start, 1);
            start += self.shape(input)[axis];
            if self.uses[input.0] == 1
                && let Some(mut group) = self.pending.remove(&input)
            {
                (group.out, group.store) = (node.output, part);
                self.done.push(group);
                continue;
            }
            let load = self.load(input);
            let shape = self.shape(input).to_vec();
            let at = self.next(i);
            self.done.push(Group {
                anchor: None,
                loads: vec![load],
                expr: Expr::Load(0),
                shape,
                out: node.output,
                store: part,
                at,
            });
        }
    }
}

/// The place of a load in the list, where it may be already.
fn place(loads: &mut Vec<Load>, load: &Load) -> usize {
    loads.iter().position(|l| l == load).unwrap_or_else(|| {
        loads.push(load.clone());
        loads.len() - 1
    })
}
