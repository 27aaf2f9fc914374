//! Sorting. In the browser a heap does it: the sort of the core library is four kilobytes for each type
//! that is sorted, and a page's lists are short.

/// The list in order; equal ones are alike, so their order does not matter.
#[cfg(target_arch = "wasm32")]
pub(crate) fn sorted<T: Ord>(list: Vec<T>) -> Vec<T> {
    by_heap(list)
}

/// The list in order; equal ones are alike, so their order does not matter.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list
}

#[cfg(any(target_arch = "wasm32", test))]
fn by_heap<T: Ord>(list: Vec<T>) -> Vec<T> {
    std::collections::BinaryHeap::from(list).into_sorted_vec()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn both_ways_sort_alike(list: Vec<(u8, u8)>) {
            prop_assert_eq!(by_heap(list.clone()), sorted(list));
        }
    }
}
