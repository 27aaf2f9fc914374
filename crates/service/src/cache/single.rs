//! Access to the cache for one call whose key is known: what is asked need not be a task on a document.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use lanes_engine::{Answer, AnswerCache, Cached, CallRequest};
use lanes_model::{CallId, PassId};
use lanes_store::AnswerKey;

use super::{Holding, LookUp, ResponseCache, ended};

struct Single {
    cache: Arc<ResponseCache>,
    key: AnswerKey,
    model: String,
    held: Arc<Holding>,
}

impl ResponseCache {
    /// Access for one call.
    pub(crate) fn of_key(self: &Arc<Self>, key: AnswerKey, model: String) -> Arc<dyn AnswerCache> {
        Arc::new(Single { cache: Arc::clone(self), key, model, held: Arc::default() })
    }
}

impl AnswerCache for Single {
    fn look_up(
        &self,
        pass: PassId,
        call: CallId,
        _: Arc<CallRequest>,
    ) -> BoxFuture<'static, Cached> {
        let look_up = LookUp {
            cache: Arc::clone(&self.cache),
            held: Arc::clone(&self.held),
            place: (pass, call),
            key: self.key,
            // What other programs send is theirs: it goes on as it is.
            redaction: None,
        };
        look_up.first().boxed()
    }

    fn ended(&self, pass: PassId, call: CallId, answer: Option<&Answer>) {
        ended(&self.cache, &self.held, (pass, call), answer, &self.model);
    }
}
