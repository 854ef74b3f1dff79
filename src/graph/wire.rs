//! How much memory a file takes once decoded, found by walking its wire format without decoding it: a hostile file
//! of a few megabytes can hold millions of empty messages, each of which takes hundreds of bytes.

/// What a file will take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Measure {
    /// Nodes, those of subgraphs and functions included.
    pub nodes: u64,
    /// Bytes of decoded structures, with room for growing lists.
    pub bytes: u64,
}

/// The messages that can nest or repeat; anything else is counted as text or numbers.
#[derive(Clone, Copy, PartialEq)]
enum Message {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    Value,
    /// Parts of which only the possible number is counted.
    Nested,
    /// No lists inside.
    Flat,
}

/// Nesting beyond this is refused, as the decoder would.
const DEPTH: usize = 60;
/// Above the size of any decoded message; lists may hold twice what they need while they grow.
const MESSAGE: u64 = 800;
const TEXT: u64 = 48;

impl Message {
    /// The message that field `tag` of this one holds.
    fn field(self, tag: u64) -> Option<Self> {
        match (self, tag) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) => Some(Self::Graph),
            (Self::Graph, 1) => Some(Self::Node),
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) => Some(Self::Tensor),
            (Self::Graph, 11..=13) => Some(Self::Value),
            (Self::Node, 5) => Some(Self::Attribute),
            // Functions, training information, types, quantisation and sparse tensors nest further.
            (Self::Model, 20 | 25)
            | (Self::Graph, 14 | 15)
            | (Self::Attribute, 14 | 15 | 22 | 23)
            | (Self::Value, 2) => Some(Self::Nested),
            (Self::Model, 8 | 14)
            | (Self::Graph, 16)
            | (Self::Tensor, 3 | 13 | 16)
            | (Self::Value, 4)
            | (Self::Node, 9) => Some(Self::Flat),
            _ => None,
        }
    }

    /// Whether field `tag` is a list of whole numbers, which may be packed one a byte.
    fn integers(self, tag: u64) -> bool {
        matches!((self, tag), (Self::Attribute, 8) | (Self::Tensor, 1 | 5 | 7 | 11))
    }
}

/// Walks `bytes` as a model.
pub(super) fn measure(bytes: &[u8]) -> Result<Measure, String> {
    let mut measure = Measure::default();
    walk(bytes, Message::Model, 0, &mut measure)?;
    Ok(measure)
}

fn varint(bytes: &[u8], at: &mut usize) -> Result<u64, String> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at).ok_or("it is cut off")?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err("a number in it is too long".into())
}

fn walk(bytes: &[u8], message: Message, depth: usize, measure: &mut Measure) -> Result<(), String> {
    if depth > DEPTH {
        return Err("its structures nest too deep".into());
    }
    measure.bytes += MESSAGE;
    if message == Message::Node {
        measure.nodes += 1;
    }
    let mut at = 0;
    while at < bytes.len() {
        let key = varint(bytes, &mut at)?;
        let (tag, kind) = (key >> 3, key & 7);
        let length = match kind {
            0 => {
                varint(bytes, &mut at)?;
                measure.bytes += 16;
                continue;
            }
            1 => 8,
            5 => 4,
            2 => usize::try_from(varint(bytes, &mut at)?).map_err(|_| "it is cut off")?,
            _ => return Err(format!("it holds a field of the unknown kind {kind}")),
        };
        let end = at
            .checked_add(length)
            .filter(|&end| end <= bytes.len())
            .ok_or("it is cut off")?;
        let inner = &bytes[at..end];
        at = end;
        match message.field(tag) {
            Some(Message::Nested) if kind == 2 => measure.bytes += MESSAGE + length as u64 / 2 * MESSAGE / 4,
            Some(Message::Flat) if kind == 2 => measure.bytes += MESSAGE + 2 * length as u64,
            Some(next) if kind == 2 => walk(inner, next, depth + 1, measure)?,
            _ if message.integers(tag) => {
                let values = inner.iter().filter(|&&b| b < 0x80).count() as u64;
                measure.bytes += TEXT + 16 * values;
            }
            _ => measure.bytes += TEXT + 2 * length as u64,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use tract_onnx::pb::{GraphProto, ModelProto, NodeProto};

    use super::*;

    fn model(nodes: usize) -> Vec<u8> {
        let graph = GraphProto {
            node: vec![NodeProto::default(); nodes],
            ..GraphProto::default()
        };
        let model = ModelProto {
            graph: Some(graph),
            ..ModelProto::default()
        };
        model.encode_to_vec()
    }

    #[test]
    fn empty_nodes_are_counted_at_their_decoded_size() {
        let bytes = model(1000);
        assert!(bytes.len() < 3000);
        let measure = measure(&bytes).expect("a model");
        assert_eq!(measure.nodes, 1000);
        assert!(measure.bytes >= 1000 * std::mem::size_of::<NodeProto>() as u64 * 2);
    }

    #[test]
    fn truncated_and_wild_bytes_are_refused() {
        let bytes = model(3);
        assert!(measure(&bytes[..bytes.len() - 1]).is_err());
        assert!(measure(&[0x3f; 20]).is_err());
        assert!(measure(&[0xff; 20]).is_err());
    }

    #[test]
    fn deep_nesting_is_refused_before_the_stack_ends() {
        let mut bytes = Vec::new();
        for _ in 0..10_000 {
            // node { attribute { g { .. } } } from the inside out
            for key in [0x32u8, 0x2a, 0x0a] {
                let mut outer = vec![key];
                prost::encoding::encode_varint(bytes.len() as u64, &mut outer);
                outer.append(&mut bytes);
                bytes = outer;
            }
            if bytes.len() > 4000 {
                break;
            }
        }
        let mut file = vec![0x3a];
        prost::encoding::encode_varint(bytes.len() as u64, &mut file);
        file.extend(bytes);
        assert!(measure(&file).is_err());
    }
}
