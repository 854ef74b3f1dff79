//! What is known of each node of a plan before anything runs, and which of its places a change of the picture reaches.

use super::super::vjp::prelude::*;
use super::layout::Layout;
use super::partial::{self, Partial};
use crate::kernel::Region;

/// Above this share of its places a node is computed whole: the loops over whole planes are faster a place, and what
/// follows reaches further still.
const MOST: f64 = 0.75;
/// What it costs to compute some places of one node beyond the places themselves, in multiply-adds.
const START: f64 = 4_000.0;

/// One node.
pub(super) struct Node {
    inputs: Vec<usize>,
    /// How the output lies, where it is a plane's.
    pub layout: Option<Layout>,
    /// The operator, where it can compute some places alone. The picture has none, but a layout.
    pub partial: Option<Box<dyn Partial>>,
    /// What all of it costs, in multiply-adds.
    cost: f64,
}

/// All nodes of a plan, by their numbers.
pub(super) struct Nodes {
    pub list: Vec<Node>,
    order: Vec<usize>,
    source: usize,
    picture: Layout,
    /// Bytes of all results.
    pub bytes: u64,
}

/// What becomes of a node's result.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Change {
    /// It stays.
    None,
    /// These places are computed.
    Places(Region),
    /// All of it is.
    All,
}

/// What becomes of all nodes, by their numbers, and what that costs.
pub(super) struct Changes {
    pub of: Vec<Change>,
    /// Multiply-adds.
    pub cost: f64,
    /// Multiply-adds of computing everything.
    pub whole: f64,
}

impl Nodes {
    /// The nodes of `plan`; none if it has not one picture `[1, C, H, W]` as its only input, if an operator keeps a state
    /// between runs, or if a size is not known.
    pub fn of(plan: &TypedSimplePlan) -> TractResult<Option<Self>> {
        let model = plan.model();
        let &[OutletId { node: source, slot: 0 }] = &*model.inputs else {
            return Ok(None);
        };
        let shape = model.node(source).outputs[0]
            .fact
            .shape
            .as_concrete()
            .unwrap_or_default();
        if shape.len() != 4 || shape[0] != 1 || shape.contains(&0) {
            return Ok(None);
        }
        let picture = Layout {
            shape: shape.to_vec(),
            axis: 2,
        };
        let order = plan.order_without_consts().to_vec();
        let mut nodes: Vec<Node> = Vec::with_capacity(model.nodes.len());
        nodes.resize_with(model.nodes.len(), || Node {
            inputs: Vec::new(),
            layout: None,
            partial: None,
            cost: 0.0,
        });
        let mut bytes = 0u64;
        for &id in &order {
            let node = model.node(id);
            let mut values = 0usize;
            for output in &node.outputs {
                let Some(shape) = output.fact.shape.as_concrete() else {
                    return Ok(None);
                };
                values += shape.iter().product::<usize>();
                bytes += shape.iter().product::<usize>() as u64 * output.fact.datum_type.size_of() as u64;
            }
            nodes[id].inputs = node.inputs.iter().map(|i| i.node).collect();
            if id == source {
                nodes[id].layout = Some(picture.clone());
                continue;
            }
            let layouts: Vec<Option<&Layout>> = nodes[id].inputs.iter().map(|&i| nodes[i].layout.as_ref()).collect();
            let found = partial::of(model, node, &layouts)?;
            let cost = match &found {
                Some((layout, partial)) => (partial.work() * layout.places()) as f64,
                None => whole_cost(model, node)?.max(values as f64),
            };
            nodes[id].cost = cost;
            if let Some((layout, partial)) = found {
                nodes[id].layout = Some(layout);
                nodes[id].partial = Some(partial);
            }
        }
        Ok(Some(Self {
            list: nodes,
            order,
            source,
            picture,
            bytes,
        }))
    }

    /// How the picture lies.
    pub fn picture(&self) -> &Layout {
        &self.picture
    }

    /// Height and width of the picture.
    pub fn size(&self) -> [usize; 2] {
        self.picture.size()
    }

    /// What becomes of the nodes where the picture changes at `region`, if the results of those for which `kept` says so
    /// are there.
    pub fn changes(&self, region: Region, kept: impl Fn(usize) -> bool) -> Changes {
        self.spread(region, kept, MOST, START)
    }

    /// The share of everything's multiply-adds that is left where the picture changes at `region`, if each place that it
    /// reaches is computed and no other.
    pub fn least(&self, region: Region) -> f64 {
        let changes = self.spread(region, |_| true, 1.0, 0.0);
        changes.cost / changes.whole.max(1.0)
    }

    /// Nodes with a share of more than `most` of their places reached are computed whole; `start` is what it costs to
    /// begin a part of one.
    fn spread(&self, region: Region, kept: impl Fn(usize) -> bool, most: f64, start: f64) -> Changes {
        let mut of = vec![Change::None; self.list.len()];
        let (mut cost, mut whole) = (0.0, 0.0);
        of[self.source] = if region.is_empty() {
            Change::None
        } else {
            Change::Places(region)
        };
        for &id in self.order.iter().filter(|&&id| id != self.source) {
            let node = &self.list[id];
            whole += node.cost;
            let change = Self::change(node, &of, kept(id), most);
            cost += match &change {
                Change::None if kept(id) => 0.0,
                Change::None | Change::All => node.cost,
                Change::Places(region) => node.cost * share(region) + start,
            };
            of[id] = change;
        }
        Changes { of, cost, whole }
    }

    fn change(node: &Node, of: &[Change], kept: bool, most: f64) -> Change {
        let inputs = || node.inputs.iter().map(|&i| &of[i]);
        if inputs().all(|c| *c == Change::None) {
            return Change::None;
        }
        let (Some(partial), true) = (&node.partial, kept) else {
            return Change::All;
        };
        let mut reached: Option<Region> = None;
        for (slot, change) in inputs().enumerate() {
            match change {
                Change::None => {}
                Change::All => return Change::All,
                Change::Places(region) => {
                    let more = partial.reached(slot, region);
                    reached = Some(reached.map_or_else(|| more.clone(), |r| r.union(&more)));
                }
            }
        }
        match reached {
            Some(region) if region.is_empty() => Change::None,
            Some(region) if share(&region) <= most => Change::Places(region),
            _ => Change::All,
        }
    }

    /// Of each node that is computed: its number, the share of its places (none: it is computed whole), and what all of
    /// it costs.
    pub fn reached(&self, changes: &Changes) -> impl Iterator<Item = (usize, Option<f64>, f64)> {
        let computed = self.order.iter().filter(|&&id| changes.of[id] != Change::None);
        computed.map(|&id| match &changes.of[id] {
            Change::Places(region) => (id, Some(share(region)), self.list[id].cost),
            _ => (id, None, self.list[id].cost),
        })
    }

    /// All nodes, anew.
    pub fn everything(&self) -> Changes {
        let whole = self.order.iter().map(|&id| self.list[id].cost).sum();
        Changes {
            of: vec![Change::All; self.list.len()],
            cost: whole,
            whole,
        }
    }
}

/// The share of a plane's places that a region holds.
fn share(region: &Region) -> f64 {
    let [h, w] = region.size();
    region.count() as f64 / (h * w).max(1) as f64
}

/// Multiply-adds of a node as the engine counts them.
fn whole_cost(model: &TypedModel, node: &TypedNode) -> TractResult<f64> {
    let facts = model.node_input_facts(node.id)?;
    let costs = node.op.cost(&facts).unwrap_or_default();
    let of = |(cost, count): &(Cost, TDim)| match cost {
        Cost::FMA(_) | Cost::Div(_) => count.to_i64().unwrap_or(0) as f64,
        _ => 0.0,
    };
    Ok(costs.iter().map(of).sum())
}
