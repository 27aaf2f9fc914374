//! From a request to the text, the tokens and the content hash of its answer.
//!
//! Called by the chat handler; `analysis` finds the words, `tokens` counts them. The rule: what is
//! computed here depends on the request alone, and the slow half runs on a blocking thread.

use crate::{
    MODEL,
    analysis::{self, Prompt},
    api_error::ApiError,
    draw::ContentHash,
    protocol::{ChatRequest, Content, Message, Part, Role, Usage},
    tokens::{self, Pieces},
};

/// OpenAI's count for an image in low detail.
const TOKENS_PER_IMAGE: u32 = 85;
/// The frame around each message, and the priming of the answer.
const TOKENS_PER_MESSAGE: u32 = 3;
const TOKENS_TO_PRIME: u32 = 3;
/// What is reserved for an answer whose length the request does not limit.
const RESERVED_ANSWER: u32 = 256;

/// A request that passed validation.
#[derive(Debug)]
pub(crate) struct Question {
    messages: Vec<Plain>,
    max_tokens: Option<u32>,
    /// What the answer is to fit, if it is to be JSON.
    schema: Option<serde_json::Value>,
    pub(crate) stream: bool,
    pub(crate) include_usage: bool,
}

/// A message with its parts joined.
#[derive(Debug)]
struct Plain {
    role: Role,
    text: String,
    images: Vec<String>,
}

/// What will be sent, whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) pieces: Pieces,
    pub(crate) usage: Usage,
}

impl Answer {
    pub(crate) fn finish_reason(&self) -> &'static str {
        if self.pieces.cut { "length" } else { "stop" }
    }
}

impl Question {
    /// Checks a request as OpenAI would.
    ///
    /// # Errors
    /// 400 for what is missing or out of range, 404 for a model that does not exist.
    pub(crate) fn new(request: ChatRequest) -> Result<Self, ApiError> {
        let model = request
            .model
            .ok_or_else(|| ApiError::invalid("The parameter `model` is missing.", Some("model")))?;
        if model != MODEL {
            return Err(ApiError::model_not_found(&model));
        }
        if request.messages.is_empty() {
            let message = "The parameter `messages` must hold at least one message.";
            return Err(ApiError::invalid(message, Some("messages")));
        }
        if request.n.is_some_and(|n| n != 1) {
            return Err(ApiError::invalid_value("The simulator only supports `n` = 1.", "n"));
        }
        let max_tokens = match (request.max_completion_tokens, request.max_tokens) {
            (Some(limit), _) => Some(positive(limit, "max_completion_tokens")?),
            (None, Some(limit)) => Some(positive(limit, "max_tokens")?),
            (None, None) => None,
        };
        Ok(Self {
            messages: request.messages.into_iter().map(Plain::from).collect(),
            max_tokens,
            schema: request.response_format.and_then(|f| f.json_schema).and_then(|j| j.schema),
            stream: request.stream.unwrap_or(false),
            include_usage: request
                .stream_options
                .and_then(|options| options.include_usage)
                .unwrap_or(false),
        })
    }

    /// The hash of everything that shapes the answer; how it is delivered does not.
    pub(crate) fn content(&self) -> u64 {
        let limit = self.max_tokens.map_or_else(String::new, |limit| limit.to_string());
        let mut hash = ContentHash::new().with(&limit);
        for message in &self.messages {
            hash = hash.with(message.role.name()).with(&message.text);
            for image in &message.images {
                hash = hash.with("image").with(image);
            }
        }
        if let Some(schema) = &self.schema {
            hash = hash.with("schema").with(&schema.to_string());
        }
        hash.finish()
    }

    /// What the answer may cost, before anything is computed: a token per four bytes of prompt, and
    /// the longest answer allowed.
    pub(crate) fn estimate(&self) -> u32 {
        let bytes: usize = self.messages.iter().map(|message| message.text.len()).sum();
        let images: usize = self.messages.iter().map(|message| message.images.len()).sum();
        let prompt = u32::try_from(bytes.div_ceil(4)).unwrap_or(u32::MAX);
        let images = u32::try_from(images).unwrap_or(u32::MAX).saturating_mul(TOKENS_PER_IMAGE);
        prompt.saturating_add(images).saturating_add(self.max_tokens.unwrap_or(RESERVED_ANSWER))
    }

    /// Computes the answer, one that breaks what it was asked to keep to when it is to be invalid.
    /// Blocks: milliseconds, or a fraction of a second the very first time.
    pub(crate) fn answer(self, invalid: bool) -> Answer {
        let mut prompt_tokens = TOKENS_TO_PRIME;
        for message in &self.messages {
            let images = u32::try_from(message.images.len()).unwrap_or(u32::MAX);
            prompt_tokens = [
                TOKENS_PER_MESSAGE,
                tokens::count(message.role.name()),
                tokens::count(&message.text),
                images.saturating_mul(TOKENS_PER_IMAGE),
            ]
            .into_iter()
            .fold(prompt_tokens, u32::saturating_add);
        }
        let pieces = tokens::split(&analysis::answer(&self.prompt(), invalid), self.max_tokens);
        let usage = Usage::new(prompt_tokens, pieces.tokens);
        Answer { pieces, usage }
    }

    /// The system messages together, and the last user message.
    fn prompt(&self) -> Prompt {
        let systems: Vec<&str> = self
            .messages
            .iter()
            .filter(|message| matches!(message.role, Role::System | Role::Developer))
            .map(|message| message.text.as_str())
            .collect();
        let user = self.messages.iter().rev().find(|message| message.role == Role::User);
        Prompt {
            system: systems.join("\n"),
            user: user.map(|message| message.text.clone()).unwrap_or_default(),
            images: user.map_or(0, |message| message.images.len()),
            schema: self.schema.clone(),
        }
    }
}

impl From<Message> for Plain {
    fn from(message: Message) -> Self {
        let (mut texts, mut images) = (Vec::new(), Vec::new());
        match message.content {
            None => {}
            Some(Content::Text(text)) => texts.push(text),
            Some(Content::Parts(parts)) => {
                for part in parts {
                    match part {
                        Part::Text { text } => texts.push(text),
                        Part::ImageUrl { image_url } => images.push(image_url.url),
                    }
                }
            }
        }
        Self { role: message.role, text: texts.join("\n"), images }
    }
}

fn positive(limit: i64, param: &'static str) -> Result<u32, ApiError> {
    match u32::try_from(limit) {
        Ok(limit) if limit > 0 => Ok(limit),
        _ => Err(ApiError::invalid_value(
            format!("`{param}` must be a whole number from 1 to {}, not {limit}.", u32::MAX),
            param,
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn question(value: Value) -> Result<Question, ApiError> {
        Question::new(serde_json::from_value(value).unwrap())
    }

    fn asked(extra: Value) -> Question {
        let mut body = json!({"model": MODEL, "messages": [{"role": "user", "content": "Summarise: It rained."}]});
        body.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        question(body).unwrap()
    }

    #[test]
    fn how_an_answer_is_delivered_does_not_change_its_content() {
        let plain = asked(json!({})).content();
        assert_eq!(plain, asked(json!({"stream": true, "temperature": 0.5})).content());
        assert_ne!(plain, asked(json!({"max_tokens": 5})).content());
    }

    #[test]
    fn parts_are_joined_and_images_counted() {
        let content = json!([
            {"type": "text", "text": "Describe"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}},
        ]);
        let question =
            question(json!({"model": MODEL, "messages": [{"role": "user", "content": content}]}))
                .unwrap();
        assert_eq!(question.prompt().images, 1);
        let answer = question.answer(false);
        assert!(answer.usage.prompt_tokens > TOKENS_PER_IMAGE);
        assert!(answer.pieces.text().contains("image"), "{}", answer.pieces.text());
    }

    #[test]
    fn a_limit_that_is_not_positive_is_refused() {
        for limit in [0, -1, i64::MAX] {
            let body = json!({"model": MODEL, "messages": [{"role": "user", "content": "x"}], "max_tokens": limit});
            assert!(question(body).unwrap_err().to_string().contains("max_tokens"));
        }
    }
}
