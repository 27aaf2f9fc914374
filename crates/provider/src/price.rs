//! What models cost.
//!
//! A table of our own, in the unit of [`Price`] and the size of what can be chosen here: the crate
//! `genai-prices` would add 0.8 MB to the program and tens of milliseconds at the first look. A test
//! holds the table equal to that crate's data, so a new version of it shows what has changed.
//! Source: genai-prices 0.2.1 (OpenAI's list prices as of 2026-11-01, standard tier, prompts up to
//! 272 000 tokens). The prices are OpenAI's: another host of a model of that name may ask others.

use lanes_model::Price;

/// A row: model, then micro-dollars for a million tokens: prompt, cached prompt, answer.
type Row = (&'static str, u64, u64, u64);

/// The simulator's only model, priced like `gpt-4o-mini` so that costs look real.
const SIMULATED: Row = ("simulated-mini", 150_000, 75_000, 600_000);

const OPENAI: &[Row] = &[
    ("gpt-3.5-turbo", 500_000, 500_000, 1_500_000),
    ("gpt-4", 30_000_000, 30_000_000, 60_000_000),
    ("gpt-4-turbo", 10_000_000, 10_000_000, 30_000_000),
    ("gpt-4.1", 2_000_000, 500_000, 8_000_000),
    ("gpt-4.1-mini", 400_000, 100_000, 1_600_000),
    ("gpt-4.1-nano", 100_000, 25_000, 400_000),
    ("gpt-4o", 2_500_000, 1_250_000, 10_000_000),
    ("gpt-4o-2024-05-13", 5_000_000, 5_000_000, 15_000_000),
    ("gpt-4o-mini", 150_000, 75_000, 600_000),
    ("gpt-5", 1_250_000, 125_000, 10_000_000),
    ("gpt-5-chat-latest", 1_250_000, 125_000, 10_000_000),
    ("gpt-5-mini", 250_000, 25_000, 2_000_000),
    ("gpt-5-nano", 50_000, 5_000, 400_000),
    ("gpt-5.1", 1_250_000, 125_000, 10_000_000),
    ("gpt-5.2", 1_750_000, 175_000, 14_000_000),
    ("gpt-5.3", 1_750_000, 175_000, 14_000_000),
    ("gpt-5.4", 2_500_000, 250_000, 15_000_000),
    ("gpt-5.4-mini", 750_000, 75_000, 4_500_000),
    ("gpt-5.4-nano", 200_000, 20_000, 1_250_000),
    ("gpt-5.5", 5_000_000, 500_000, 30_000_000),
    ("gpt-5.6", 4_000_000, 400_000, 20_000_000),
    ("gpt-5.6-luna", 200_000, 20_000, 1_200_000),
    ("gpt-5.6-sol", 4_000_000, 400_000, 20_000_000),
    ("gpt-5.6-terra", 2_000_000, 200_000, 12_000_000),
    ("gpt-6-astra", 10_000_000, 1_000_000, 50_000_000),
    ("gpt-6-luna", 100_000, 10_000, 500_000),
    ("gpt-6-sol", 2_000_000, 200_000, 10_000_000),
    ("gpt-6.1-sol", 2_000_000, 100_000, 10_000_000),
    ("gpt-6.1-terra", 1_000_000, 50_000, 5_000_000),
    ("o1", 15_000_000, 7_500_000, 60_000_000),
    ("o1-mini", 1_100_000, 550_000, 4_400_000),
    ("o3", 2_000_000, 500_000, 8_000_000),
    ("o3-mini", 1_100_000, 550_000, 4_400_000),
    ("o4-mini", 1_100_000, 275_000, 4_400_000),
];

/// The list price of a model, or of the model that a dated name (`gpt-4o-2024-08-06`) or one with
/// its vendor (`openai/gpt-4o`) stands for. `None` when it is not known: a cost is never guessed.
#[must_use]
pub fn price(model: &str) -> Option<Price> {
    let model = model.trim();
    let model = model.strip_prefix("openai/").unwrap_or(model);
    row(model).or_else(|| row(undated(model)?)).map(|&(_, input, cached, output)| Price {
        input_usd_micros_per_mtok: input,
        cached_usd_micros_per_mtok: cached,
        output_usd_micros_per_mtok: output,
    })
}

fn row(model: &str) -> Option<&'static Row> {
    std::iter::once(&SIMULATED).chain(OPENAI).find(|row| row.0 == model)
}

/// The name before a date of the form `-2024-08-06`.
fn undated(model: &str) -> Option<&str> {
    let (name, date) = model.split_at_checked(model.len().checked_sub(11)?)?;
    let dated = date.bytes().enumerate().all(|(at, byte)| match at {
        0 | 5 | 8 => byte == b'-',
        _ => byte.is_ascii_digit(),
    });
    dated.then_some(name)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use genai_prices::{PriceRequest, Usage, UsageKey};

    use super::*;

    #[test]
    fn the_table_agrees_with_the_published_data_of_its_date() {
        let date = UNIX_EPOCH + Duration::from_secs(1_793_491_200); // 2026-11-01
        for &(model, input, cached, output) in OPENAI {
            let micros = |tokens: [(UsageKey, f64); 2], part: f64| {
                let usage = Usage::from(tokens);
                let request = PriceRequest::new(model, &usage)
                    .with_provider_id("openai")
                    .with_timestamp(date);
                let usd = genai_prices::calculate(&request).unwrap().total_price;
                (usd * 1e6 / part).round() as u64
            };
            let none = (UsageKey::OUTPUT_TOKENS, 0.0);
            let some = (UsageKey::INPUT_TOKENS, 1e5);
            assert_eq!(micros([some.clone(), none], 0.1), input, "{model}: input");
            assert_eq!(
                micros([(UsageKey::INPUT_TOKENS, 0.0), (UsageKey::OUTPUT_TOKENS, 1e5)], 0.1),
                output,
                "{model}: output"
            );
            assert_eq!(
                micros([some, (UsageKey::CACHE_READ_TOKENS, 1e5)], 0.1),
                cached,
                "{model}: cached"
            );
        }
    }

    #[test]
    fn dated_and_vendor_names_mean_the_model() {
        assert_eq!(price("gpt-4o-2024-08-06"), price("gpt-4o"));
        assert_ne!(price("gpt-4o-2024-05-13"), price("gpt-4o"));
        assert_eq!(price("openai/gpt-4o-mini"), price("gpt-4o-mini"));
        assert_eq!(price("simulated-mini"), price("gpt-4o-mini"));
    }

    #[test]
    fn an_unknown_model_has_no_price() {
        for model in
            ["", "llama3", "gpt-4o-audio-preview", "ft:gpt-4o-mini:org::id", "é-2024-08-06"]
        {
            assert_eq!(price(model), None, "{model}");
        }
    }
}
