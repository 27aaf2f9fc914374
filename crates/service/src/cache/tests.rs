//! Flights: who asks, who waits, and what is kept.

use lanes_model::provider::Pace;
use lanes_model::{Mode, Plan, ProviderInfo, RunSpec, Usage, task};

use super::*;

fn header() -> Arc<RunHeader> {
    let tasks: Vec<_> = task::built_in().into_iter().take(4).collect();
    let provider = ProviderInfo {
        id: "p".into(),
        name: "P".into(),
        simulated: true,
        models: vec!["m".into()],
        price: None,
        rpm: None,
        tpm: None,
        pace: Pace { ttft_us: 1, millitokens_per_s: 0, whole_us: 1, cv_permille: 0 },
    };
    Arc::new(RunHeader {
        id: "run".into(),
        title: "A run".into(),
        created_at: "2026-11-21T10:42:00Z".into(),
        spec: RunSpec { cache: true, ..RunSpec::plain(Mode::Parallel, 4, "p", "m", &tasks) },
        tasks,
        documents: Vec::new(),
        provider,
        routes: Vec::new(),
        plan: Plan::new(Mode::Parallel, false, 4, 4, 1),
    })
}

async fn fresh() -> Arc<ResponseCache> {
    ResponseCache::new(Store::open_in_memory().await.unwrap())
}

fn run(cache: &Arc<ResponseCache>) -> Arc<dyn AnswerCache> {
    let header = header();
    let base_url = "http://a/v1".to_owned();
    cache.of_run(Arc::clone(&header), [(header.spec.provider.clone(), base_url)].into())
}

fn answer(finish: Finish) -> Answer {
    let usage = Usage { input: 9, output: 4, cached: 0, estimated: false };
    Answer { text: "An answer".into(), usage, cost: Some(UsdMicros(5)), finish }
}

/// Looks the first call of a run up.
async fn look_up(run: &Arc<dyn AnswerCache>) -> Cached {
    let request = CallRequest {
        model: "m".into(),
        system: "s".into(),
        user: "u".into(),
        max_tokens: 10,
        ..CallRequest::default()
    };
    run.look_up(PassId(0), CallId(0), Arc::new(request)).await
}

fn end(run: &Arc<dyn AnswerCache>, answer: Option<&Answer>) {
    run.ended(PassId(0), CallId(0), answer);
}

/// A look-up that has to wait.
async fn waiting(run: &Arc<dyn AnswerCache>) -> BoxFuture<'static, Option<Answer>> {
    match look_up(run).await {
        Cached::Awaited(answer) => answer,
        Cached::Hit(_) => panic!("a hit"),
        Cached::Miss => panic!("a miss"),
    }
}

fn is_free(cache: &ResponseCache) -> bool {
    lock(&cache.flights).is_empty()
}

#[tokio::test]
async fn an_answer_lands_with_all_who_wait_and_is_there_for_the_next() {
    let cache = fresh().await;
    let (one, two) = (run(&cache), run(&cache));
    assert!(matches!(look_up(&one).await, Cached::Miss));
    let (first, second) = (waiting(&two).await, waiting(&run(&cache)).await);
    end(&one, Some(&answer(Finish::Stop)));
    let free = Answer { cost: Some(UsdMicros(0)), ..answer(Finish::Stop) };
    assert_eq!(first.await, Some(free.clone()));
    assert_eq!(second.await, Some(free));
    assert!(matches!(look_up(&two).await, Cached::Hit(_)));
    assert!(is_free(&cache));
    let stats = cache.stats().await.unwrap();
    assert_eq!((stats.entries, stats.hits, stats.misses), (1, 3, 1));
}

#[tokio::test]
async fn neither_a_failure_nor_an_answer_cut_short_is_kept_and_the_next_asks() {
    let cache = fresh().await;
    for result in [None, Some(answer(Finish::Length))] {
        let (one, two) = (run(&cache), run(&cache));
        assert!(matches!(look_up(&one).await, Cached::Miss));
        let wait = waiting(&two).await;
        end(&one, result.as_ref());
        assert_eq!(wait.await, None);
        // It holds the flight now.
        let third = run(&cache);
        drop(waiting(&third).await);
        end(&two, None);
        assert!(is_free(&cache));
    }
    assert_eq!(cache.stats().await.unwrap().entries, 0);
}

#[tokio::test]
async fn a_run_that_is_dropped_gives_back_what_it_holds() {
    let cache = fresh().await;
    let (one, two) = (run(&cache), run(&cache));
    assert!(matches!(look_up(&one).await, Cached::Miss));
    let wait = waiting(&two).await;
    drop(one);
    assert_eq!(wait.await, None);
    // What waits and is dropped holds nothing.
    let three = run(&cache);
    drop(waiting(&three).await);
    drop(two);
    assert!(is_free(&cache));
}

#[tokio::test]
async fn a_purge_forgets_what_is_in_memory_in_the_store_and_on_the_way_there() {
    let cache = fresh().await;
    let one = run(&cache);
    assert!(matches!(look_up(&one).await, Cached::Miss));
    end(&one, Some(&answer(Finish::Stop)));
    cache.purge().await.unwrap();
    assert_eq!(cache.stats().await.unwrap().entries, 0);
    assert!(matches!(look_up(&one).await, Cached::Miss));
}

#[tokio::test]
async fn what_is_in_the_store_alone_is_found() {
    let cache = fresh().await;
    let one = run(&cache);
    assert!(matches!(look_up(&one).await, Cached::Miss));
    end(&one, Some(&answer(Finish::Stop)));
    cache.flush().await;
    let again = ResponseCache::new(cache.store.clone());
    assert!(matches!(look_up(&run(&again)).await, Cached::Hit(_)));
    assert!(is_free(&again));
}

#[tokio::test]
async fn a_store_that_cannot_be_read_has_no_answers() {
    let cache = fresh().await;
    cache.store.close().await;
    let one = run(&cache);
    assert!(matches!(look_up(&one).await, Cached::Miss));
    assert!(cache.purge().await.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_comes_when_one_at_a_time_asks_until_there_is_an_answer() {
    let cache = fresh().await;
    let asking = Arc::new(AtomicU64::new(0));
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let (one, asking) = (run(&cache), Arc::clone(&asking));
            tokio::spawn(async move {
                let found = match look_up(&one).await {
                    Cached::Hit(answer) => Some(answer),
                    Cached::Miss => None,
                    Cached::Awaited(answer) => answer.await,
                };
                if found.is_some() {
                    return false;
                }
                assert_eq!(asking.fetch_add(1, Ordering::SeqCst), 0);
                tokio::task::yield_now().await;
                asking.fetch_sub(1, Ordering::SeqCst);
                // Those with even numbers fail, some by being dropped.
                if n % 4 != 0 {
                    end(&one, Some(&answer(Finish::Stop)).filter(|_| n % 2 == 1));
                }
                n % 2 == 1
            })
        })
        .collect();
    let mut answered = 0;
    for task in tasks {
        answered += u32::from(task.await.unwrap());
    }
    assert_eq!(answered, 1);
    assert!(is_free(&cache));
}
