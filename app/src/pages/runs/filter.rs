//! What the address of the list says: the filters and the place in the list.
//!
//! A list is read by cursors, which lead forwards only; the cursors passed on the way stand in
//! `back`, so that "Newer" needs no memory but the address.

use leptos_router::params::ParamsMap;

/// Stands between the cursors in `back`; cursors are letters and digits.
const BETWEEN: &str = ".";
/// Pages remembered on the way; from further back "Newer" leads to the newest runs.
const REMEMBERED: usize = 20;

/// The filters; an empty text means "any".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// Words in the title.
    pub search: String,
    /// A mode's id.
    pub mode: String,
    /// A status's id.
    pub status: String,
    /// Where the page begins; empty for the newest runs.
    pub cursor: String,
    /// Where the pages before began, the newest first; the very first is empty.
    back: Vec<String>,
}

impl Filter {
    /// Read from an address.
    pub fn from_params(params: &ParamsMap) -> Self {
        let get = |name: &str| params.get(name).unwrap_or_default();
        let back = params.get("back").map(|b| b.split(BETWEEN).map(str::to_owned).collect());
        Self {
            search: get("q"),
            mode: get("mode"),
            status: get("status"),
            cursor: get("cursor"),
            back: back.unwrap_or_default(),
        }
    }

    /// The address that says this.
    pub fn url(&self) -> String {
        let mut params = ParamsMap::new();
        let fields = [
            ("q", &self.search),
            ("mode", &self.mode),
            ("status", &self.status),
            ("cursor", &self.cursor),
        ];
        for (name, value) in fields.into_iter().filter(|(_, value)| !value.is_empty()) {
            params.insert(name, value.clone());
        }
        if !self.back.is_empty() {
            params.insert("back", self.back.join(BETWEEN));
        }
        format!("/runs{}", params.to_query_string())
    }

    /// The same filters from the newest run on: what a changed filter leads to.
    pub fn newest(&self) -> Self {
        Self { cursor: String::new(), back: Vec::new(), ..self.clone() }
    }

    /// Whether anything is left out.
    pub fn is_narrowed(&self) -> bool {
        !(self.search.trim().is_empty() && self.mode.is_empty() && self.status.is_empty())
    }

    /// The page after this one.
    pub fn older(&self, next_cursor: &str) -> Self {
        let mut back = self.back.clone();
        back.push(self.cursor.clone());
        let forgotten = back.len().saturating_sub(REMEMBERED);
        back.drain(..forgotten);
        Self { cursor: next_cursor.to_owned(), back, ..self.clone() }
    }

    /// The page before this one, when there is one.
    pub fn newer(&self) -> Option<Self> {
        if self.cursor.is_empty() {
            return None;
        }
        let mut back = self.back.clone();
        let cursor = back.pop().unwrap_or_default();
        if cursor.is_empty() {
            back.clear();
        }
        Some(Self { cursor, back, ..self.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_filter_is_the_plain_address() {
        assert_eq!(Filter::default().url(), "/runs");
    }

    #[test]
    fn newer_takes_back_every_older() {
        let first = Filter { mode: "compare".into(), ..Filter::default() };
        let second = first.older("1a");
        let third = second.older("1b");
        assert_eq!((third.cursor.as_str(), third.url().contains("1a")), ("1b", true));
        assert_eq!(third.newer(), Some(second.clone()));
        assert_eq!(second.newer(), Some(first.clone()));
        assert_eq!(first.newer(), None);
    }

    #[test]
    fn an_address_stays_short_however_far_one_goes() {
        let mut filter = Filter::default();
        for n in 0..100 {
            filter = filter.older(&format!("1{n:040}"));
        }
        assert!(filter.url().len() < 1_200);
        for _ in 0..=REMEMBERED {
            filter = filter.newer().unwrap();
        }
        assert_eq!(filter, Filter::default());
    }

    #[test]
    fn a_changed_filter_begins_with_the_newest() {
        let filter = Filter { search: "a b".into(), ..Filter::default() };
        assert_eq!(filter.older("1a").newest(), filter);
        assert!(filter.is_narrowed() && !Filter::default().is_narrowed());
    }
}
