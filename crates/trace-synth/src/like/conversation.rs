//! Conversations: what the requests of a group look like when written.

use trace_core::seed::below;
use trace_core::{Micros, Streams, blocks_of};

use super::group::Groups;
use super::knobs::{Knobs, tokens};
use super::path::{Owner, Paths};
use super::scale::{Phase, Stretched};
use super::source::{Entry, Source};
use super::tempo::usual_gap;
use super::tree::{NONE, Tree};

/// One in so many block accesses may be to public blocks that stay for ever;
/// the others, the least visited, are new in each pass. In the source each of
/// them missed once; if none did in a trace a hundred times as long, its hit
/// rate would be higher by their share.
const LASTING_SHARE: u64 = 200;

/// One request of a conversation, as it is to be written.
#[derive(Clone, Debug)]
pub struct Turn {
    /// Since the conversation began, in the time of the source.
    pub offset: u64,
    /// Prompt length, tokens.
    pub input: u64,
    /// Response length, tokens.
    pub output: Option<u64>,
    /// Think time after the turn before.
    pub delay: Option<Micros>,
    /// Blocks of its own, after the shared ones.
    pub tail: u32,
    /// The deepest shared block, a node of [`Conversations::paths`].
    pub node: u32,
    /// The session, counted within the conversation, or [`NONE`].
    pub session: u32,
    /// Index into [`Source::models`], or [`NONE`].
    pub model: u32,
    /// Whether it has a timestamp.
    pub timed: bool,
    /// Whether it has `hash_ids`.
    pub blocks: bool,
}

/// Requests that stay together: a range of [`Conversations::turns`].
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Index of the first turn.
    pub begin: u32,
    /// Index after the last turn.
    pub end: u32,
    /// Time of the first turn.
    pub start: u64,
    /// Blocks that only its turns share.
    pub nodes: u32,
    /// Sessions among its turns.
    pub sessions: u32,
}

/// The source as conversations, in order of their starts.
#[derive(Clone, Debug, Default)]
pub struct Conversations {
    /// All turns; those of a conversation together, in time order.
    pub turns: Vec<Turn>,
    /// The conversations.
    pub list: Vec<Conversation>,
    /// What is shared, stretched.
    pub paths: Paths,
    /// Number of public blocks that stay for ever.
    pub lasting: u32,
    /// Number of public blocks that are new in each pass.
    pub passing: u32,
    /// How long the source lasts, up to where its next request would be.
    pub length: u64,
    /// The largest share of the source's requests in one conversation.
    pub largest: f64,
}

impl Conversations {
    /// The conversations of `source`, scaled and filtered.
    ///
    /// # Errors
    /// A prefix multiplier that makes 2^32 shared blocks.
    pub fn of(source: &Source, knobs: &Knobs, streams: Streams) -> anyhow::Result<Self> {
        let times = times(source);
        let groups = Groups::of(source, &times);
        let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mut all = Self {
            length: times.last().copied().unwrap_or_default() + usual_gap(&gaps).max(1),
            largest: groups.largest_share(),
            ..Self::default()
        };
        let maker = TurnMaker {
            source,
            knobs,
            stretched: Stretched::of(&source.tree, knobs.prefix)?,
            offset: below(&mut streams.stream("like phase"), 1 << 32),
        };
        let (places, nodes) = all.place(&maker, &groups);
        all.collect(&maker, &times, &groups, &nodes);
        all.paths = Paths::new(maker.stretched.tree, places);
        Ok(all)
    }

    /// Say whose each shared block is, and where among the owner's; and how
    /// many blocks each group has.
    fn place(&mut self, maker: &TurnMaker<'_>, groups: &Groups) -> (Vec<(Owner, u32)>, Vec<u32>) {
        let tree = &maker.source.tree;
        let lasting = lasting_visits(maker.source, groups);
        let mut counts = vec![0; groups.count as usize];
        let mut place = |&origin: &u32| {
            let (owner, count) = match groups.nodes[origin as usize] {
                NONE if tree.visits(origin) >= lasting => (Owner::Lasting, &mut self.lasting),
                NONE => (Owner::Passing, &mut self.passing),
                group => (Owner::Private, &mut counts[group as usize]),
            };
            *count += 1;
            (owner, *count - 1)
        };
        let places = maker.stretched.origins.iter().map(&mut place).collect();
        (places, counts)
    }

    fn collect(&mut self, maker: &TurnMaker<'_>, times: &[u64], groups: &Groups, nodes: &[u32]) {
        let source = maker.source;
        let members = &groups.members;
        let mut order: Vec<u32> = (0..members.len() as u32).collect();
        order.sort_by_key(|&index| members[index as usize]);
        let mut sessions = vec![NONE; source.sessions as usize];
        let mut current = NONE;
        for index in order {
            let member = members[index as usize];
            let Some(mut turn) = maker.turn(&source.entries[index as usize], member) else {
                continue;
            };
            let at = times[index as usize];
            if current != member {
                current = member;
                let begin = self.turns.len() as u32;
                self.list.push(Conversation {
                    begin,
                    end: begin,
                    start: at,
                    nodes: nodes[member as usize],
                    sessions: 0,
                });
            }
            let conversation = self.list.last_mut().expect("pushed above");
            if let Some(session) = sessions.get_mut(turn.session as usize) {
                if *session == NONE {
                    *session = conversation.sessions;
                    conversation.sessions += 1;
                }
                turn.session = *session;
            }
            turn.offset = at - conversation.start;
            conversation.end += 1;
            self.turns.push(turn);
        }
        // A filter can take away the first turn.
        self.list.sort_by_key(|conversation| conversation.start);
    }

    /// The turns of `conversation`.
    pub fn turns_of(&self, conversation: &Conversation) -> &[Turn] {
        &self.turns[conversation.begin as usize..conversation.end as usize]
    }
}

/// When each request came; its index if all came at once.
fn times(source: &Source) -> Vec<u64> {
    let at_once = source.entries.last().is_none_or(|last| last.at == 0);
    let time = |(index, entry): (usize, &Entry)| if at_once { index as u64 } else { entry.at };
    source.entries.iter().enumerate().map(time).collect()
}

/// Public blocks with at least so many visits stay for ever.
fn lasting_visits(source: &Source, groups: &Groups) -> u32 {
    let tree: &Tree = &source.tree;
    let accesses = source.entries.iter().filter(|entry| entry.blocks);
    let accesses: u64 = accesses
        .map(|entry| u64::from(tree.depth(entry.core)) + u64::from(entry.tail))
        .sum();
    let public = groups.nodes.iter().enumerate();
    let public = public.filter(|&(_, &group)| group == NONE);
    let mut visits: Vec<u32> = public.map(|(node, _)| tree.visits(node as u32)).collect();
    visits.sort_unstable_by_key(|&visits| std::cmp::Reverse(visits));
    match visits.get((accesses / LASTING_SHARE) as usize) {
        Some(&first_beyond) => first_beyond.saturating_add(1),
        None => 0,
    }
}

/// Turns requests of the source into turns of a conversation.
struct TurnMaker<'a> {
    source: &'a Source,
    knobs: &'a Knobs,
    stretched: Stretched,
    offset: u64,
}

impl TurnMaker<'_> {
    /// `entry` as it is written, or nothing if the filter leaves it out.
    fn turn(&self, entry: &Entry, group: u32) -> Option<Turn> {
        let (node, tail, input) = self.prompt(entry, group);
        self.knobs.input_range.contains(&input).then(|| Turn {
            offset: 0,
            input,
            output: entry.output.map(|length| self.knobs.output(length)),
            delay: entry.delay.map(|delay| self.knobs.time(delay.as_micros())),
            tail,
            node,
            session: entry.session,
            model: entry.model,
            timed: entry.timed,
            blocks: entry.blocks,
        })
    }

    /// The last shared block, the number of blocks after it, and tokens.
    fn prompt(&self, entry: &Entry, group: u32) -> (u32, u32, u64) {
        let block_size = self.source.block_size;
        let own = self.source.tail_tokens(entry);
        let own = self.knobs.prompt.round_up_from_zero(own);
        if !entry.blocks {
            return (NONE, 0, own);
        }
        let depth = self.source.tree.depth(entry.core);
        let phase = Phase::of(group.into(), self.offset);
        let node = self.stretched.end(entry.core, depth, phase);
        let shared = |blocks: u32| tokens(blocks.into(), block_size);
        let blocks = self.stretched.tree.depth(node);
        if entry.tail > 0 {
            let tail = u32::try_from(blocks_of(own, block_size)).unwrap_or(u32::MAX);
            return (node, tail, shared(blocks).saturating_add(own));
        }
        let last = self.source.fill(entry);
        if blocks == 0 && depth > 0 {
            // All of it was shared, and nothing of that is left.
            return (NONE, 1, last);
        }
        (
            node,
            0,
            shared(blocks.saturating_sub(1)).saturating_add(last),
        )
    }
}
