//! Sorting. In the browser a heap does it: the sort of the core library is four kilobytes for each type
//! that is sorted, and a page's lists are short.

/// Sorts a list; equal ones are alike, so their order does not matter.
pub(crate) fn sort<T: Ord>(list: &mut Vec<T>) {
    #[cfg(target_arch = "wasm32")]
    {
        *list = by_heap(std::mem::take(list));
    }
    #[cfg(not(target_arch = "wasm32"))]
    list.sort_unstable();
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
        fn both_ways_sort_alike(mut list: Vec<(u8, u8)>) {
            let heap = by_heap(list.clone());
            sort(&mut list);
            prop_assert_eq!(heap, list);
        }
    }
}
