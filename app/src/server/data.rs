//! What each page needs to draw itself, in one answer.

use lanes_model::{
    FieldError, Json, Limits, Micros, ProviderInfo, Read, RunId, RunState, Task, TaskHistory,
    TextCount, reads, sample::SampleInfo,
};
use serde::{Deserialize, Serialize};

/// The default provider, for the top bar.
#[cfg(feature = "ssr")]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderBadge {
    /// What the badge says.
    pub name: String,
    /// Whether it is the simulator.
    pub simulated: bool,
}

/// Everything that can be chosen for a run, and what is chosen to begin with.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WorkbenchData {
    /// The shipped samples, without their text.
    pub samples: Vec<SampleInfo>,
    /// The tasks, in order.
    pub tasks: Vec<Task>,
    /// The providers, the default first.
    pub providers: Vec<ProviderInfo>,
    /// The limits in force.
    pub limits: Limits,
    /// Whether calls may run at the same time; otherwise every run is sequential.
    pub parallel: bool,
    /// What calls took lately on each provider's models, for estimates.
    pub history: Vec<ModelHistory>,
    /// What is filled in.
    pub prefill: Prefill,
    /// What was wrong with the form that was sent without JavaScript, if one was.
    pub errors: Vec<FieldError>,
}

/// What calls took lately on one model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelHistory {
    /// The provider's id.
    pub provider: String,
    /// The model.
    pub model: String,
    /// Each task's means.
    pub tasks: Vec<TaskHistory>,
}

/// The values of the form at first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Prefill {
    /// The chosen sample's id, when the text is one.
    pub sample: Option<String>,
    /// The text.
    pub text: String,
    /// Its size.
    pub count: TextCount,
    /// Ids of the chosen tasks.
    pub tasks: Vec<String>,
    /// The mode's id.
    pub mode: String,
    /// Whether both passes run at once.
    pub race: bool,
    /// The lanes asked for, as typed; empty: one per task, at most 6.
    pub concurrency: String,
    /// The provider's id.
    pub provider: String,
    /// The model.
    pub model: String,
    /// The faults, one a line; see `FaultsRequest::typed`. The server draws their fields, so the
    /// browser need not be told.
    #[serde(skip)]
    pub faults: String,
    /// Whether cached answers are wanted; the server draws that too.
    #[serde(skip)]
    pub cache: bool,
    /// Pace, budget and fallback, one a line; see `lanes_model::options::form`. The server draws them.
    #[serde(skip)]
    pub options: String,
    /// The documents chosen in place of a text.
    pub documents: Vec<Doc>,
    /// What was not taken of the files sent without JavaScript.
    pub rejected: Vec<String>,
    /// The run that the form repeats, when it does: the focus goes to concurrency.
    pub from: Option<RunId>,
}

/// An uploaded document, as the form knows it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Doc {
    /// Names it.
    pub id: String,
    /// The file's name.
    pub name: String,
    /// The length of its text.
    pub tokens: u64,
    /// How many records it makes: the rows of a table, or 1.
    pub records: u64,
    /// What was found, in words.
    pub about: String,
}

/// What came of an upload. The browser reads its fields by name.
#[cfg(feature = "ssr")]
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Chosen {
    /// Taken in.
    pub documents: Vec<Doc>,
    /// Not taken in: name and reason.
    pub rejected: Vec<String>,
}

#[cfg(feature = "ssr")]
impl Doc {
    /// A document, with what there is to know of it in words.
    #[must_use]
    pub fn of(document: lanes_service::DocumentView) -> Self {
        use lanes_model::format::plural;
        let kind = match document.media_type.as_str() {
            "text/plain" => "Text",
            "text/markdown" => "Markdown",
            "application/pdf" => "PDF",
            "text/csv" => "CSV",
            "application/jsonl" => "JSONL",
            media_type if media_type.starts_with("image/") => "Image",
            _ => "DOCX",
        };
        let mut about = vec![kind.to_owned()];
        about.extend(document.pages.map(|n| plural(n.into(), "page")));
        about.extend(document.records.map(|n| {
            let column = document.text_column.as_deref().unwrap_or_default();
            format!("{} of “{column}”", plural(n, "record"))
        }));
        about.push(plural(document.tokens, "token"));
        if document.duplicate {
            about.push("already uploaded".to_owned());
        }
        about.extend(document.notes);
        Self {
            id: document.id,
            name: document.name,
            tokens: document.tokens,
            records: document.records.unwrap_or(1),
            about: about.join(" · "),
        }
    }
}

/// A run and what is needed to draw it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunPageData {
    /// The run as it stands.
    pub state: RunState,
    /// The reading of its clock.
    pub now: Micros,
    /// What calls took lately on its model, for ghost bars.
    pub history: Vec<TaskHistory>,
    /// Its report, once it is over.
    pub report: Option<ReportHtml>,
    /// The faults injected into it, in words.
    pub faults: Option<String>,
    /// Why it stands still though nobody asked for that.
    pub trouble: Option<String>,
}

/// The parts of a run's report, as HTML.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReportHtml {
    /// The sentence, the bars and the figures.
    pub figures: String,
    /// The ledger and the calls.
    pub details: String,
    /// The timeline as a table.
    pub table: String,
}

reads! {
    WorkbenchData { samples, tasks, providers, limits, parallel, history, prefill, errors }
    ModelHistory { provider, model, tasks }
    Prefill {
        sample, text, count, tasks, mode, race, concurrency, provider, model, faults, cache,
        options, documents, rejected, from,
    }
    Doc { id, name, tokens, records, about }
    RunPageData { state, now, history, report, faults, trouble }
    ReportHtml { figures, details, table }
}

/// A value that travels from the server to the browser as a text of JSON, which [`Read`] reads. The
/// browser never sends one back and needs no code that writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed<T>(pub T);

impl<T: Read> Packed<T> {
    /// The value that was packed into that text; none when it is not JSON.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        Json::parse(text).map(|json| Packed(T::read(&json)))
    }
}

impl<T: Serialize> Serialize for Packed<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[cfg(feature = "ssr")]
        {
            let text = serde_json::to_string(&self.0).map_err(serde::ser::Error::custom)?;
            serializer.serialize_str(&text)
        }
        #[cfg(not(feature = "ssr"))]
        serializer.serialize_unit()
    }
}

impl<'de, T: Read> Deserialize<'de> for Packed<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Packed::of(&text).ok_or_else(|| serde::de::Error::custom("not JSON"))
    }
}

/// A page of the list of runs.
#[cfg(feature = "ssr")]
#[derive(Debug, Clone, PartialEq)]
pub struct RunsPageData {
    /// Newest first.
    pub items: Vec<lanes_model::RunSummary>,
    /// Where the next page begins, when there is one.
    pub next_cursor: Option<String>,
    /// How many runs match.
    pub matching: u64,
    /// How many runs there are.
    pub total: u64,
    /// What all runs on real providers cost, micro-dollars.
    pub cost_usd_micros: u64,
    /// What all simulated runs would have cost, micro-dollars.
    pub simulated_cost_usd_micros: u64,
    /// The wall clock of the server now, RFC 3339, so that "today" is the same there and here.
    pub now: String,
}

#[cfg(test)]
#[cfg(feature = "ssr")]
mod tests {
    use lanes_model::{FieldError, Limits, RunId, TaskHistory, TextCount, task};

    use super::*;
    use crate::charts::fixture;

    fn again<T: Read + Serialize + Clone>(value: &T) -> T {
        let sent = serde_json::to_string(&Packed(value.clone())).unwrap();
        serde_json::from_str::<Packed<T>>(&sent).unwrap().0
    }

    fn history() -> Vec<TaskHistory> {
        let (task, samples) = (task::built_in().remove(0).id, 4);
        let (duration_us, ttft_us, output_tokens, deviation_us) = (900, 200, 80, 30);
        vec![TaskHistory { task, samples, duration_us, ttft_us, output_tokens, deviation_us }]
    }

    #[test]
    fn a_run_reaches_the_browser_as_it_was_sent() {
        let mut state = fixture::finished("A \"text\"\n</script>");
        // What the browser does not read.
        state.header.spec.input = lanes_model::Input::Text;
        let text = |name: &str| format!("<p>{name}</p>");
        let report = ReportHtml { figures: text("f"), details: text("d"), table: text("t") };
        let data = RunPageData {
            now: state.latest,
            state,
            history: history(),
            report: Some(report),
            faults: Some("hangs 5 %".to_owned()),
            trouble: Some("The disk is full.".to_owned()),
        };
        assert_eq!(again(&data), data);
    }

    #[test]
    fn a_form_reaches_the_browser_as_it_was_sent() {
        let data = WorkbenchData {
            samples: Vec::new(),
            tasks: task::built_in(),
            providers: vec![fixture::finished("").header.provider],
            limits: Limits::default(),
            parallel: true,
            history: vec![ModelHistory {
                provider: "simulator".to_owned(),
                model: "small".to_owned(),
                tasks: history(),
            }],
            prefill: Prefill {
                sample: Some("one".to_owned()),
                text: "words".to_owned(),
                count: TextCount::guess("words"),
                tasks: vec!["summary".to_owned()],
                mode: "parallel".to_owned(),
                race: true,
                concurrency: "3".to_owned(),
                provider: "simulator".to_owned(),
                model: "small".to_owned(),
                faults: String::new(),
                cache: false,
                options: String::new(),
                documents: vec![Doc {
                    id: "d".to_owned(),
                    name: "a.pdf".to_owned(),
                    tokens: 7,
                    records: 1,
                    about: "PDF".to_owned(),
                }],
                rejected: vec!["b.pdf: no".to_owned()],
                from: Some(RunId("7".to_owned())),
            },
            errors: vec![FieldError::new("/tasks", "Choose one.")],
        };
        assert_eq!(again(&data), data);
    }
}
