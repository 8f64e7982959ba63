//! One policy on one or several replicas, at every capacity that is asked for.
//!
//! An order with a stack is measured, exact at every capacity, unless the
//! router looks into the caches: then requests go other ways at other
//! capacities, and each capacity is simulated. All other policies are
//! simulated; the optimum waits for the end.

use super::curve::{Curve, Hits, Rate};
use super::distance::Distances;
use super::optimum::Recording;
use super::policy::Policy;
use super::routing::{Routed, Router, Routing};
use super::simulator::Simulator;
use trace_core::Micros;

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setup {
    /// What goes first when a cache is full.
    pub policy: Policy,
    /// Number of caches, at least 1.
    pub replicas: u32,
    /// How requests are spread over them.
    pub routing: Routing,
    /// How long a request counts as load.
    pub window: Micros,
}

impl Setup {
    /// Whether every capacity comes out of one measurement.
    pub fn is_exact(&self) -> bool {
        self.policy.order().is_some() && !(self.replicas > 1 && self.routing.looks_inside())
    }

    /// Why it cannot be measured, if so.
    pub fn is_undefined(&self) -> Option<&'static str> {
        let circular =
            self.policy == Policy::Optimum && self.replicas > 1 && self.routing.looks_inside();
        circular.then_some(
            "the optimum knows which requests come, which prefix-affinity decides by what the optimum holds",
        )
    }
}

/// Measures one setup: requests go in one after the other.
pub struct Fleet {
    setup: Setup,
    asked: Hits,
    kind: Kind,
}

enum Kind {
    Exact(Router, Vec<Distances>),
    Simulated(Vec<Size>),
    Hindsight(Router, Vec<Recording>, Vec<u64>),
}

/// The replicas of one capacity.
struct Size {
    capacity: u64,
    router: Router,
    caches: Vec<Box<dyn Simulator>>,
    hits: Hits,
}

/// What came of one capacity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// Capacity of each cache in blocks.
    pub blocks: u64,
    /// Hit rates of all replicas together.
    pub rate: Rate,
    /// Tokens given to the busiest replica over the mean; none for one alone.
    pub imbalance: Option<f64>,
}

impl Fleet {
    /// Measure `setup`, at `capacities` where it has to be simulated.
    pub fn new(setup: Setup, capacities: &[u64]) -> Self {
        let router = Router::new(setup.routing, setup.replicas, setup.window);
        let replicas = 0..setup.replicas;
        let size = |&capacity: &u64| Size {
            capacity,
            router: router.clone(),
            caches: replicas
                .clone()
                .filter_map(|_| setup.policy.simulator(capacity))
                .collect(),
            hits: Hits::default(),
        };
        let kind = match setup.policy.order() {
            Some(order) if setup.is_exact() => {
                Kind::Exact(router, replicas.map(|_| Distances::new(order)).collect())
            }
            None if setup.policy == Policy::Optimum => {
                let recordings = replicas.map(|_| Recording::default()).collect();
                Kind::Hindsight(router, recordings, capacities.to_vec())
            }
            _ => Kind::Simulated(capacities.iter().map(size).collect()),
        };
        Self {
            setup,
            asked: Hits::default(),
            kind,
        }
    }

    /// Take the next request.
    ///
    /// # Errors
    ///
    /// Those of [`Recording::push`].
    pub fn push(&mut self, request: &Routed<'_>) -> anyhow::Result<()> {
        self.asked.add(request.row.asked());
        match &mut self.kind {
            Kind::Exact(router, replicas) => {
                replicas[router.route(request, |_| 0)].push(&request.row);
            }
            Kind::Simulated(sizes) => {
                for size in sizes {
                    let caches = &size.caches;
                    let lead = |replica: usize| caches[replica].lead(request.row.blocks);
                    let replica = size.router.route(request, lead);
                    size.hits.add(size.caches[replica].serve(&request.row));
                }
            }
            Kind::Hindsight(router, recordings, _) => {
                recordings[router.route(request, |_| 0)].push(&request.row)?;
            }
        }
        Ok(())
    }

    /// The setup it measures.
    pub fn setup(&self) -> Setup {
        self.setup
    }

    /// The whole curve, if this is exact.
    pub fn curve(&self) -> Option<Curve> {
        match &self.kind {
            Kind::Exact(_, replicas) => Some(Curve::sum(replicas.iter().map(Distances::curve))),
            _ => None,
        }
    }

    /// What came of each capacity: of `capacities` if this is exact, else of
    /// those it was made for.
    pub fn points(&self, capacities: &[u64]) -> Vec<Point> {
        let alone = self.setup.replicas == 1;
        let point = |blocks, hits: Hits, router: &Router| Point {
            blocks,
            rate: hits.of(self.asked),
            imbalance: if alone { None } else { router.imbalance() },
        };
        match &self.kind {
            Kind::Exact(router, replicas) => {
                let curve = Curve::sum(replicas.iter().map(Distances::curve));
                let hits = |&blocks: &u64| point(blocks, curve.hits(blocks), router);
                capacities.iter().map(hits).collect()
            }
            Kind::Simulated(sizes) => sizes
                .iter()
                .map(|size| point(size.capacity, size.hits, &size.router))
                .collect(),
            Kind::Hindsight(router, recordings, capacities) => {
                let mut all = vec![Hits::default(); capacities.len()];
                for recording in recordings {
                    let next = recording.next_uses();
                    for (hits, &capacity) in all.iter_mut().zip(capacities) {
                        hits.add(recording.hits(capacity, &next));
                    }
                }
                let pairs = capacities.iter().zip(all);
                pairs
                    .map(|(&blocks, hits)| point(blocks, hits, router))
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::paths;
    use super::super::row::Row;
    use super::*;
    use clap::ValueEnum;
    use proptest::prelude::*;

    const CAPACITIES: [u64; 5] = [1, 3, 6, 10, 30];

    fn points(rows: &[Vec<u32>], policy: Policy, replicas: u32, routing: Routing) -> Vec<Point> {
        let window = Micros::from_micros(10);
        let setup = Setup {
            policy,
            replicas,
            routing,
            window,
        };
        let mut fleet = Fleet::new(setup, &CAPACITIES);
        for (at, blocks) in (0..).zip(rows) {
            let row = Row {
                blocks,
                tokens: 10 * blocks.len() as u64,
                block_size: 10,
            };
            let arrival = Some(Micros::from_micros(3 * at));
            fleet
                .push(&Routed {
                    row,
                    output_length: at % 7,
                    arrival,
                })
                .unwrap();
        }
        fleet.points(&CAPACITIES)
    }

    proptest! {
        #[test]
        fn one_replica_gets_everything_however_it_is_routed(rows in paths(6)) {
            for &policy in Policy::value_variants() {
                let alone = points(&rows, policy, 1, Routing::RoundRobin);
                for &routing in Routing::value_variants() {
                    prop_assert_eq!(&points(&rows, policy, 1, routing), &alone);
                }
            }
        }

        #[test]
        fn what_is_measured_is_what_is_simulated(rows in paths(6), replicas in 1u32..4) {
            for policy in [Policy::Lru, Policy::PrefixLru] {
                for routing in [Routing::RoundRobin, Routing::LeastLoaded] {
                    let window = Micros::from_micros(10);
                    let setup = Setup { policy, replicas, routing, window };
                    let measured = points(&rows, policy, replicas, routing);
                    let router = Router::new(routing, replicas, setup.window);
                    let caches = |capacity| (0..replicas).filter_map(|_| policy.simulator(capacity)).collect();
                    for (point, capacity) in measured.iter().zip(CAPACITIES) {
                        let mut size = Size { capacity, router: router.clone(), caches: caches(capacity), hits: Hits::default() };
                        let mut asked = Hits::default();
                        for (at, blocks) in (0..).zip(&rows) {
                            let row = Row { blocks, tokens: 10 * blocks.len() as u64, block_size: 10 };
                            asked.add(row.asked());
                            let request = Routed { row, output_length: at % 7, arrival: Some(Micros::from_micros(3 * at)) };
                            let replica = size.router.route(&request, |_| 0);
                            size.hits.add(size.caches[replica].serve(&row));
                        }
                        prop_assert_eq!(point.rate, size.hits.of(asked));
                    }
                }
            }
        }

        #[test]
        fn the_optimum_has_the_most_behind_every_router_that_is_blind(rows in paths(6)) {
            for routing in [Routing::RoundRobin, Routing::LeastLoaded] {
                let most = points(&rows, Policy::Optimum, 3, routing);
                for &policy in Policy::value_variants() {
                    for (point, most) in points(&rows, policy, 3, routing).iter().zip(&most) {
                        prop_assert!(point.rate.hit_rate <= most.rate.hit_rate);
                    }
                }
            }
        }
    }
}
