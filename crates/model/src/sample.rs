//! The four sample texts, so that a first run needs no input.

use serde::{Deserialize, Serialize};

/// A text that Lanes ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// The name used in requests.
    pub id: &'static str,
    /// The name people read.
    pub name: &'static str,
    /// The text itself, English, 250 to 400 words.
    pub text: &'static str,
}

/// A sample without its text, with its size: for lists and cards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SampleInfo {
    /// The name used in requests.
    pub id: String,
    /// The name people read.
    pub name: String,
    /// Length in tokens (o200k encoding).
    pub tokens: u64,
    /// Length in words.
    pub words: u64,
    /// Length in bytes of UTF-8.
    pub bytes: u64,
}

/// The samples, in the order people see them.
pub const SAMPLES: [Sample; 4] = [
    Sample {
        id: "ai-technology",
        name: "AI Technology Article",
        text: include_str!("../samples/ai-technology.txt"),
    },
    Sample {
        id: "business-report",
        name: "Business Report",
        text: include_str!("../samples/business-report.txt"),
    },
    Sample {
        id: "healthcare-study",
        name: "Healthcare Study",
        text: include_str!("../samples/healthcare-study.txt"),
    },
    Sample {
        id: "technology-news",
        name: "Technology News",
        text: include_str!("../samples/technology-news.txt"),
    },
];

/// The sample of that name.
#[must_use]
pub fn find(id: &str) -> Option<&'static Sample> {
    SAMPLES.iter().find(|s| s.id == id)
}
