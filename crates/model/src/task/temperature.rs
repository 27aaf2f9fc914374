//! How freely a model chooses its words: a number from 0 to 2 to everyone else, hundredths here, so
//! that two tasks can be told equal.

use std::fmt;

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A sampling temperature, from 0 to 2 in steps of a hundredth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = f64))]
pub struct Temperature(u8);

/// What a temperature must be, in words.
const RULE: &str = "a temperature is a number from 0 to 2 with at most two decimals";

impl Temperature {
    /// That temperature; none for what is not from 0 to 2, or has more than two decimals.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most 200
    pub fn of(number: f64) -> Option<Self> {
        let hundredths = number * 100.0;
        let whole = hundredths.round();
        // 0.29 is no exact number of hundredths in binary; what is meant is.
        let close = (hundredths - whole).abs() < 1e-6;
        ((0.0..=200.0).contains(&whole) && close && number >= 0.0).then_some(Self(whole as u8))
    }

    /// The number, 0 to 2.
    #[must_use]
    pub fn number(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// What somebody typed.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn typed(text: &str) -> Result<Self, String> {
        // A comma is what much of the world writes.
        let number = text.trim().replacen(',', ".", 1).parse().ok().and_then(Self::of);
        number.ok_or_else(|| {
            let text = crate::spec::shorten(text.trim());
            format!(
                "“{text}” is no temperature: give a number from 0 to 2 with at most two decimals."
            )
        })
    }
}

impl fmt::Display for Temperature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.number())
    }
}

impl Serialize for Temperature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.number())
    }
}

impl<'de> Deserialize<'de> for Temperature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(f64::deserialize(deserializer)?).ok_or_else(|| D::Error::custom(RULE))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_hundredth_survives_writing_and_reading(hundredths in 0u8..=200) {
            let one = Temperature(hundredths);
            let written = serde_json::to_string(&one).unwrap();
            prop_assert_eq!(serde_json::from_str::<Temperature>(&written).unwrap(), one);
            prop_assert_eq!(Temperature::typed(&one.to_string()), Ok(one));
        }

        #[test]
        fn no_number_is_a_mishap(number in any::<f64>()) {
            let found = Temperature::of(number);
            prop_assert!(found.is_none_or(|t| (t.number() - number).abs() < 1e-6));
        }
    }

    #[test]
    fn what_is_out_of_range_or_too_fine_is_refused() {
        for wrong in [-0.1, 2.01, 0.125, f64::NAN, f64::INFINITY] {
            assert_eq!(Temperature::of(wrong), None, "{wrong}");
        }
        assert_eq!(Temperature::typed("0,7").unwrap().to_string(), "0.7");
        assert!(Temperature::typed("warm").unwrap_err().contains("“warm”"));
        assert!(
            serde_json::from_str::<Temperature>("3").unwrap_err().to_string().contains("0 to 2")
        );
        assert_eq!(serde_json::from_str::<Temperature>("1").unwrap().number(), 1.0);
    }
}
