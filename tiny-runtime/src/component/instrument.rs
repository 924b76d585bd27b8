//! What components measure: counters, gauges and histograms, each with a bounded number of series.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::words;

/// Series of one instrument of one node; what comes after them is recorded under [`OTHER`].
const SERIES: usize = 100;
/// Stands for the values of labels for which there is no room.
const OTHER: &str = "other";
/// Bytes of a label's value.
const VALUE: usize = 64;
/// Upper bounds of a histogram's buckets; the last bucket has none.
pub(crate) const BOUNDS: [f64; 15] = [
    0.0, 5.0, 10.0, 25.0, 50.0, 75.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 2500.0, 5000.0, 7500.0,
    10_000.0,
];

/// The instruments of all nodes of a process.
#[derive(Debug, Default)]
pub struct Instruments(Mutex<All>);

/// By node, name and kind: one name may stand for two kinds.
type All = BTreeMap<(String, &'static str, &'static str), Instrument>;
type Labels = Vec<(&'static str, String)>;
type Instrument = BTreeMap<Labels, Measured>;

/// What one series of an instrument has come to.
#[derive(Clone, Debug, PartialEq)]
pub enum Measured {
    /// A sum that only grows.
    Count(u64),
    /// The last value.
    Level(f64),
    /// How values are spread.
    Spread {
        /// Number of values.
        count: u64,
        /// Their sum.
        sum: f64,
        /// Values up to each of the bounds of the histogram, and beyond the last.
        buckets: Vec<u64>,
    },
}

/// One series of an instrument, as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The node that measured.
    pub node: String,
    /// The name that the author gave.
    pub name: &'static str,
    /// The labels, in the order in which the author wrote them.
    pub labels: Vec<(&'static str, String)>,
    /// What it has come to.
    pub measured: Measured,
}

impl Instruments {
    /// All series, sorted by node, name and labels.
    pub fn samples(&self) -> Vec<Sample> {
        let mut samples = Vec::new();
        for ((node, name, _), series) in &*self.lock() {
            for (labels, measured) in series {
                let (labels, measured) = (labels.clone(), measured.clone());
                samples.push(Sample { node: node.clone(), name, labels, measured });
            }
        }
        samples
    }

    /// Drops what a node measured.
    pub(crate) fn forget(&self, node: &str) {
        self.lock().retain(|(of, ..), _| of != node);
    }

    fn record(
        &self,
        of: &Series,
        new: impl FnOnce() -> Measured,
        more: impl FnOnce(&mut Measured),
    ) {
        let mut all = self.lock();
        let instrument = all.entry((of.node.clone(), of.name, of.kind)).or_default();
        let mut labels = of.labels.clone();
        if !instrument.contains_key(&labels) && instrument.len() >= SERIES {
            labels.iter_mut().for_each(|(_, value)| OTHER.clone_into(value));
        }
        more(instrument.entry(labels).or_insert_with(new));
    }

    fn lock(&self) -> MutexGuard<'_, All> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which series an instrument writes to.
#[derive(Clone, Debug)]
struct Series {
    all: Arc<Instruments>,
    node: String,
    name: &'static str,
    kind: &'static str,
    labels: Labels,
}

impl Series {
    fn label(mut self, key: &'static str, value: &str) -> Self {
        self.labels.push((key, words::shortened(value, VALUE)));
        self
    }
}

macro_rules! instrument {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        #[must_use = "an instrument that records nothing measures nothing"]
        pub struct $name(Series);

        impl $name {
            pub(crate) fn new(all: &Arc<Instruments>, node: &str, name: &'static str) -> Self {
                let (all, node) = (all.clone(), node.to_owned());
                let kind = stringify!($name);
                Self(Series { all, node, name, kind, labels: Vec::new() })
            }

            /// The same with a label. Labels are few words that repeat, such as a status; of a hundred different
            /// combinations on, they are recorded as `other`.
            pub fn label(self, key: &'static str, value: &str) -> Self {
                Self(self.0.label(key, value))
            }
        }
    };
}

instrument! {
    /// A sum that only grows. See [`Ctx::counter`](super::Ctx::counter).
    Counter
}

instrument! {
    /// A value that goes up and down. See [`Ctx::gauge`](super::Ctx::gauge).
    Gauge
}

instrument! {
    /// How values are spread. See [`Ctx::histogram`](super::Ctx::histogram).
    Histogram
}

impl Counter {
    /// Adds to the sum.
    pub fn add(&self, more: u64) {
        self.0.all.record(
            &self.0,
            || Measured::Count(0),
            |measured| {
                if let Measured::Count(sum) = measured {
                    *sum = sum.saturating_add(more);
                }
            },
        );
    }
}

impl Gauge {
    /// Says what the value is now.
    pub fn set(&self, value: f64) {
        self.0.all.record(
            &self.0,
            || Measured::Level(value),
            |measured| {
                if let Measured::Level(level) = measured {
                    *level = value;
                }
            },
        );
    }
}

impl Histogram {
    /// Takes in a value.
    pub fn record(&self, value: f64) {
        let new = || Measured::Spread { count: 0, sum: 0.0, buckets: vec![0; BOUNDS.len() + 1] };
        self.0.all.record(&self.0, new, |measured| {
            if let Measured::Spread { count, sum, buckets } = measured {
                *count += 1;
                *sum += value;
                let bucket = BOUNDS.iter().position(|bound| value <= *bound);
                buckets[bucket.unwrap_or(BOUNDS.len())] += 1;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_never_repeats_does_not_fill_the_memory() {
        let all = Arc::new(Instruments::default());
        for id in 0..1000 {
            Counter::new(&all, "a", "orders").label("id", &id.to_string()).add(1);
        }
        let samples = all.samples();
        assert_eq!(samples.len(), SERIES + 1);
        let other = samples.iter().find(|sample| sample.labels[0].1 == OTHER);
        assert_eq!(other.map(|sample| &sample.measured), Some(&Measured::Count(900)));
    }

    #[test]
    fn each_kind_keeps_its_own() {
        let all = Arc::new(Instruments::default());
        let gauge = Gauge::new(&all, "a", "level");
        gauge.set(2.0);
        gauge.set(1.5);
        let sizes = Histogram::new(&all, "a", "sizes");
        sizes.record(3.0);
        sizes.record(1e9);
        let samples = all.samples();
        assert_eq!(samples[0].measured, Measured::Level(1.5));
        let Measured::Spread { count, sum, buckets } = &samples[1].measured else {
            panic!("a spread: {samples:?}")
        };
        assert_eq!((*count, *sum), (2, 1e9 + 3.0));
        assert_eq!((buckets[1], buckets[15]), (1, 1));
        all.forget("a");
        assert!(all.samples().is_empty());
    }
}
