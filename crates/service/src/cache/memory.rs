//! The answers used lately, in memory: as many as fit, the least recently used given up first.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use lanes_store::{AnswerKey, StoredAnswer};

/// What an answer takes besides its texts, roughly.
const AROUND: usize = 256;

/// Answers by key.
pub(super) struct Memory {
    most: usize,
    bytes: usize,
    entries: HashMap<AnswerKey, Entry>,
    /// Keys by the time of their last use.
    order: BTreeMap<u64, AnswerKey>,
    uses: u64,
    generation: u64,
}

struct Entry {
    answer: Arc<StoredAnswer>,
    used: u64,
}

fn size(answer: &StoredAnswer) -> usize {
    answer.text.len() + answer.model.len() + AROUND
}

impl Memory {
    /// Keeps at most that many bytes.
    pub(super) fn new(most: usize) -> Self {
        let (entries, order) = (HashMap::new(), BTreeMap::new());
        Self { most, bytes: 0, entries, order, uses: 0, generation: 0 }
    }

    /// Goes up with each [`Self::clear`].
    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn get(&mut self, key: &AnswerKey) -> Option<Arc<StoredAnswer>> {
        let entry = self.entries.get_mut(key)?;
        self.uses += 1;
        self.order.remove(&std::mem::replace(&mut entry.used, self.uses));
        self.order.insert(self.uses, *key);
        Some(Arc::clone(&entry.answer))
    }

    /// Keeps an answer that was found in that generation; one from before a purge is not kept.
    pub(super) fn put(&mut self, key: AnswerKey, answer: Arc<StoredAnswer>, generation: u64) {
        let bytes = size(&answer);
        if generation != self.generation || bytes > self.most {
            return;
        }
        self.remove(&key);
        self.uses += 1;
        self.bytes += bytes;
        self.order.insert(self.uses, key);
        self.entries.insert(key, Entry { answer, used: self.uses });
        while self.bytes > self.most
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.remove(&oldest);
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self { generation: self.generation + 1, ..Self::new(self.most) };
    }

    fn remove(&mut self, key: &AnswerKey) {
        if let Some(entry) = self.entries.remove(key) {
            self.order.remove(&entry.used);
            self.bytes -= size(&entry.answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use lanes_model::Usage;

    use super::*;

    /// One that takes 1000 bytes.
    fn answer() -> Arc<StoredAnswer> {
        let text = "x".repeat(1_000 - AROUND);
        Arc::new(StoredAnswer { text, usage: Usage::default(), model: String::new() })
    }

    fn kept(memory: &Memory) -> Vec<u8> {
        let mut kept: Vec<_> = memory.entries.keys().map(|k| k[0]).collect();
        kept.sort_unstable();
        assert_eq!((memory.bytes, memory.order.len()), (kept.len() * 1_000, kept.len()));
        kept
    }

    #[test]
    fn the_least_recently_used_are_given_up_when_there_is_no_room() {
        let mut memory = Memory::new(3_000);
        for n in [1, 2, 3, 2] {
            memory.put([n; 32], answer(), 0);
        }
        assert!(memory.get(&[1; 32]).is_some());
        memory.put([4; 32], answer(), 0);
        assert_eq!(kept(&memory), [1, 2, 4]);
        assert!(memory.get(&[3; 32]).is_none());
        let text = "x".repeat(4_000);
        memory.put([5; 32], Arc::new(StoredAnswer { text, ..(*answer()).clone() }), 0);
        assert_eq!(kept(&memory), [1, 2, 4], "what is too large pushes nothing out");
    }

    #[test]
    fn what_was_read_before_a_purge_is_not_kept_after_it() {
        let mut memory = Memory::new(3_000);
        let before = memory.generation();
        memory.put([1; 32], answer(), before);
        memory.clear();
        memory.put([2; 32], answer(), before);
        assert_eq!(kept(&memory), [0u8; 0]);
        memory.put([2; 32], answer(), memory.generation());
        assert_eq!(kept(&memory), [2]);
    }
}
