//! How long an answer takes: profiles, their syntax, and the schedule drawn from one.
//!
//! The server asks for a [`Schedule`] and sends token `i` when the schedule says. The rule: a
//! schedule is a pure function of the profile and the request's identity, and holds absolute
//! offsets from the request's arrival, so that delays never add up.

use std::{fmt, str::FromStr, time::Duration};

use crate::draw::{Identity, Salt};

const DEMO_WHOLE_S: f64 = 2.0;
const DEMO_WHOLE_CV: f64 = 0.18;
const DEMO_FIRST_S: f64 = 0.42;
const DEMO_FIRST_CV: f64 = 0.2;
/// The demo's first token never takes more of the whole than this.
const DEMO_FIRST_SHARE: f64 = 0.45;
/// The first token's share of the whole where a profile gives only the whole.
const FIRST_SHARE: f64 = 0.2;
const DEFAULT_CV: f64 = 0.3;
/// No answer takes longer than this, whatever was drawn.
const LONGEST: Duration = Duration::from_secs(3600);

/// A way to choose how long answers take, read from text such as `fixed:2s`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LatencyProfile {
    /// `demo`: about 2 s an answer, the first token after about 0.4 s.
    Demo,
    /// `rate:ttft=400ms,tps=60,cv=0.3`: a first token, then tokens a second, both log-normal.
    Rate {
        /// Mean time to first token.
        ttft: Duration,
        /// Mean tokens a second, above zero.
        tps: f64,
        /// Coefficient of variation of both.
        cv: f64,
    },
    /// `fixed:2s` or `2s`: exactly this for the whole answer.
    Fixed(Duration),
    /// `lognormal:mean=200ms,cv=0.6`: the whole answer is log-normal.
    LogNormal {
        /// Mean duration of a whole answer.
        mean: Duration,
        /// Its coefficient of variation.
        cv: f64,
    },
    /// `none`: as fast as the machine can.
    None,
}

/// When the tokens of one answer are due, counted from the request's arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    first: Duration,
    rest: Rest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    /// The whole answer ends at this offset, whatever its length.
    EndsAt(Duration),
    /// Each token takes this long after the first is due.
    EachTakes(Duration),
}

impl Schedule {
    /// When the first token is due.
    #[must_use]
    pub fn first_token(&self) -> Duration {
        self.first
    }

    /// When an answer of `tokens` tokens is complete.
    #[must_use]
    pub fn end(&self, tokens: u32) -> Duration {
        match self.rest {
            Rest::EndsAt(end) => end,
            Rest::EachTakes(each) => {
                self.first.saturating_add(each.saturating_mul(tokens)).min(LONGEST)
            }
        }
    }

    /// When token `index`, counted from 0, of `tokens` is due: evenly between first and end.
    #[must_use]
    pub fn due(&self, index: u32, tokens: u32) -> Duration {
        let generating = self.end(tokens).saturating_sub(self.first);
        let share = f64::from(index.min(tokens)) / f64::from(tokens.max(1));
        self.first + generating.mul_f64(share)
    }
}

impl LatencyProfile {
    /// Draws the schedule of one request.
    #[must_use]
    pub fn schedule(&self, identity: Identity) -> Schedule {
        let draw = |mean, cv, salt| seconds(log_normal(mean, cv, identity.normal(salt)));
        match *self {
            Self::Demo => {
                let whole = draw(DEMO_WHOLE_S, DEMO_WHOLE_CV, Salt::Whole);
                let first = draw(DEMO_FIRST_S, DEMO_FIRST_CV, Salt::FirstToken);
                Schedule {
                    first: first.min(whole.mul_f64(DEMO_FIRST_SHARE)),
                    rest: Rest::EndsAt(whole),
                }
            }
            Self::Rate { ttft, tps, cv } => {
                let speed = log_normal(tps, cv, identity.normal(Salt::Speed));
                Schedule {
                    first: draw(ttft.as_secs_f64(), cv, Salt::FirstToken),
                    rest: Rest::EachTakes(seconds(1.0 / speed)),
                }
            }
            Self::Fixed(whole) => whole_only(whole),
            Self::LogNormal { mean, cv } => whole_only(draw(mean.as_secs_f64(), cv, Salt::Whole)),
            Self::None => whole_only(Duration::ZERO),
        }
    }
}

fn whole_only(whole: Duration) -> Schedule {
    Schedule { first: whole.mul_f64(FIRST_SHARE), rest: Rest::EndsAt(whole) }
}

/// A log-normal value with this mean and coefficient of variation at standard normal `z`:
/// with sigma² = ln(1 + cv²), the value is mean · exp(sigma·z − sigma²/2).
fn log_normal(mean: f64, cv: f64, z: f64) -> f64 {
    let variance = cv.mul_add(cv, 1.0).ln();
    mean * (variance.sqrt() * z - variance / 2.0).exp()
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or(LONGEST).min(LONGEST)
}

/// Why a text is not a latency profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LatencyError {
    /// No profile of this name.
    #[error(
        "unknown latency profile `{0}`: use demo, none, fixed:2s, lognormal:mean=200ms,cv=0.6 or \
         rate:ttft=400ms,tps=60,cv=0.3"
    )]
    UnknownProfile(String),
    /// A duration that is not one, or is above an hour.
    #[error("`{0}` is not a duration of at most an hour, such as 400ms, 2s or 1m")]
    Duration(String),
    /// A number that is not one, or is out of range.
    #[error("`{name}` must be a number {range}, not `{value}`")]
    Number {
        /// The field.
        name: &'static str,
        /// What is allowed.
        range: &'static str,
        /// What was given.
        value: String,
    },
    /// A field the profile needs is absent.
    #[error("the latency profile needs `{0}=`")]
    Missing(&'static str),
    /// A field the profile does not have, or one given twice.
    #[error("unexpected `{0}` in the latency profile")]
    Unexpected(String),
}

impl FromStr for LatencyProfile {
    type Err = LatencyError;

    fn from_str(text: &str) -> Result<Self, LatencyError> {
        let text = text.trim();
        let (name, rest) = text.split_once(':').unwrap_or((text, ""));
        match (name, rest) {
            ("demo", "") => Ok(Self::Demo),
            ("none", "") => Ok(Self::None),
            ("fixed", whole) => parse_duration(whole).map(Self::Fixed),
            ("lognormal", fields) => {
                let mut fields = Fields::read(fields)?;
                let profile = Self::LogNormal {
                    mean: fields.duration("mean")?,
                    cv: fields.cv()?.unwrap_or(DEFAULT_CV),
                };
                fields.none_left().map(|()| profile)
            }
            ("rate", fields) => {
                let mut fields = Fields::read(fields)?;
                let profile = Self::Rate {
                    ttft: fields.duration("ttft")?,
                    tps: fields
                        .number("tps", "above 0 and at most 1000000", |v| v > 0.0 && v <= 1e6)?
                        .ok_or(LatencyError::Missing("tps"))?,
                    cv: fields.cv()?.unwrap_or(DEFAULT_CV),
                };
                fields.none_left().map(|()| profile)
            }
            (bare, "") if bare.starts_with(|c: char| c.is_ascii_digit()) => {
                parse_duration(bare).map(Self::Fixed)
            }
            _ => Err(LatencyError::UnknownProfile(text.to_owned())),
        }
    }
}

impl fmt::Display for LatencyProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Demo => f.write_str("demo"),
            Self::None => f.write_str("none"),
            Self::Fixed(whole) => write!(f, "fixed:{}", shown(whole)),
            Self::LogNormal { mean, cv } => write!(f, "lognormal:mean={},cv={cv}", shown(mean)),
            Self::Rate { ttft, tps, cv } => {
                write!(f, "rate:ttft={},tps={tps},cv={cv}", shown(ttft))
            }
        }
    }
}

/// The `name=value` pairs of a profile; each is taken once, and none may be left over.
struct Fields<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Fields<'a> {
    fn read(text: &'a str) -> Result<Self, LatencyError> {
        text.split(',')
            .filter(|field| !field.trim().is_empty())
            .map(|field| {
                let (name, value) = field
                    .split_once('=')
                    .ok_or_else(|| LatencyError::Unexpected(field.trim().to_owned()))?;
                Ok((name.trim(), value.trim()))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    fn take(&mut self, name: &str) -> Option<&'a str> {
        let at = self.0.iter().position(|(field, _)| *field == name)?;
        Some(self.0.remove(at).1)
    }

    fn duration(&mut self, name: &'static str) -> Result<Duration, LatencyError> {
        parse_duration(self.take(name).ok_or(LatencyError::Missing(name))?)
    }

    fn number(
        &mut self,
        name: &'static str,
        range: &'static str,
        allowed: impl Fn(f64) -> bool,
    ) -> Result<Option<f64>, LatencyError> {
        let Some(text) = self.take(name) else { return Ok(None) };
        match text.parse() {
            Ok(value) if allowed(value) => Ok(Some(value)),
            _ => Err(LatencyError::Number { name, range, value: text.to_owned() }),
        }
    }

    fn cv(&mut self) -> Result<Option<f64>, LatencyError> {
        self.number("cv", "from 0 to 10", |cv| (0.0..=10.0).contains(&cv))
    }

    fn none_left(self) -> Result<(), LatencyError> {
        match self.0.first() {
            None => Ok(()),
            Some((name, _)) => Err(LatencyError::Unexpected((*name).to_owned())),
        }
    }
}

/// Reads `250us`, `400ms`, `2s`, `1.5s` or `1m`, to the microsecond.
fn parse_duration(text: &str) -> Result<Duration, LatencyError> {
    let refused = || LatencyError::Duration(text.to_owned());
    let trimmed = text.trim();
    let unit_at = trimmed.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(refused)?;
    let (number, unit) = trimmed.split_at(unit_at);
    let micros_each = match unit {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        "m" => 6e7,
        _ => return Err(refused()),
    };
    let micros = number.trim().parse::<f64>().map_err(|_| refused())? * micros_each;
    let duration = Duration::try_from_secs_f64(micros.round() / 1e6).map_err(|_| refused())?;
    if duration > LONGEST { Err(refused()) } else { Ok(duration) }
}

/// Writes what [`parse_duration`] reads back to the same microsecond.
fn shown(duration: Duration) -> String {
    let micros = duration.as_micros();
    if micros.is_multiple_of(1_000_000) {
        format!("{}s", micros / 1_000_000)
    } else if micros.is_multiple_of(1_000) {
        format!("{}ms", micros / 1_000)
    } else {
        format!("{micros}us")
    }
}

#[cfg(test)]
#[path = "latency_tests.rs"]
mod tests;
