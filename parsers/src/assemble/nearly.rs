//! Sorting what is nearly in order: what several threads of a server wrote stands a few lines from where it belongs, and the items are
//! large. Their keys are put in order by themselves, one by one, and then each item moves once.

/// Within so many steps for each item on average, moving keys one by one is quicker than sorting them.
const STEPS: usize = 8;

/// Sorts by a key; items of one key stay in the order in which they are.
pub(super) fn sort_by_key<T, K: Ord + Copy>(list: &mut [T], key: impl Fn(&T) -> K) {
    let mut order: Vec<(K, usize)> = list.iter().map(key).zip(0..).collect();
    if !moved(&mut order) {
        order.sort_unstable();
    }
    for place in 0..list.len() {
        // What should come here may have been swapped away, to where what was there should come.
        let mut from = order[place].1;
        while from < place {
            from = order[from].1;
        }
        order[place].1 = from;
        list.swap(place, from);
    }
}

/// Puts all in order if few steps do; `false` where they do not, with some in order.
fn moved<T: Ord + Copy>(list: &mut [T]) -> bool {
    let mut steps = STEPS * list.len();
    for place in 1..list.len() {
        let one = list[place];
        let mut to = place;
        while to > 0 && list[to - 1] > one {
            list[to] = list[to - 1];
            to -= 1;
        }
        list[to] = one;
        match steps.checked_sub(place - to) {
            Some(left) => steps = left,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn sorts_as_the_stable_sort_does(keys in prop::collection::vec(0..50_u8, 0..200), spread in 1..60_usize) {
            // From nearly sorted to not at all.
            let near: Vec<usize> = keys.iter().enumerate().map(|(place, key)| place + usize::from(*key) % spread).collect();
            for keys in [near, keys.iter().map(|key| usize::from(*key)).collect()] {
                let mut list: Vec<(usize, usize)> = keys.into_iter().zip(0..).collect();
                let mut expected = list.clone();
                expected.sort_by_key(|(key, _)| *key);
                sort_by_key(&mut list, |(key, _)| *key);
                prop_assert_eq!(list, expected);
            }
        }
    }

    #[test]
    fn what_is_far_from_its_place_costs_no_more_than_sorting() {
        let mut list: Vec<usize> = (0..1000).rev().collect();
        assert!(!moved(&mut list));
        sort_by_key(&mut list, |key| *key);
        assert!(list.is_sorted());
    }
}
