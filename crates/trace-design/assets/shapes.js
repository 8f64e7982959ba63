// Shapes of traffic that are often wanted, as points between two times.

/** Points of a straight piece that follows a bent curve well. */
const PER_CYCLE = 24;

/**
 * What there is. `fields` are those of the form that count; `points` gives
 * points of straight lines from `from` to `to` (ms) with rates `low` to
 * `high`; `steps` is how many steps tell it well, 24 if not said. A `pattern`
 * is made by the server.
 */
export const SHAPES = {
  constant: { name: "Constant", fields: ["high"], points: ({ from, to, high }) => at([from, high], [to, high]) },
  ramp: { name: "Ramp", fields: ["low", "high"], points: ({ from, to, low, high }) => at([from, low], [to, high]) },
  triangle: {
    name: "Ramp up and down",
    fields: ["low", "high"],
    points: ({ from, to, low, high }) => at([from, low], [(from + to) / 2, high], [to, low]),
  },
  sine: {
    name: "Sine",
    fields: ["low", "high", "cycles"],
    steps: ({ cycles }) => Math.ceil(cycles * PER_CYCLE),
    points: ({ from, to, low, high, cycles }) =>
      sampled(from, to, cycles * PER_CYCLE, (share) => wave(low, high, 0.5 - Math.cos(2 * Math.PI * cycles * share) / 2)),
  },
  spike: {
    name: "Spike",
    fields: ["low", "high"],
    steps: () => 20,
    points: ({ from, to, low, high }) => {
      const [rise, top, fall] = [0.45, 0.5, 0.55].map((share) => from + share * (to - from));
      return at([from, low], [rise, low], [top, high], [fall, low], [to, low]);
    },
  },
  burst: {
    name: "On and off",
    fields: ["low", "high", "cycles"],
    steps: ({ cycles }) => 2 * Math.max(1, Math.round(cycles)),
    points: ({ from, to, low, high, cycles }) => {
      const count = Math.max(1, Math.round(cycles));
      const width = (to - from) / count;
      const each = Array.from({ length: count }, (_, i) => from + i * width);
      const corners = each.flatMap((t) => [[t, high], [t + width / 2, high], [t + width / 2, low], [t + width, low]]);
      return at(...corners.map(([t, rate]) => [Math.min(t, to), rate]));
    },
  },
  diurnal: {
    name: "Diurnal (a day, highest at 14 h)",
    fields: ["low", "high", "cycles"],
    steps: ({ cycles }) => Math.ceil(cycles * PER_CYCLE),
    points: ({ from, to, low, high, cycles }) => {
      const day = (share) => 0.5 + Math.cos(2 * Math.PI * (cycles * share - 14 / 24)) / 2;
      return sampled(from, to, cycles * PER_CYCLE, (share) => wave(low, high, day(share)));
    },
  },
  quick_rising: { name: "AIBrix quick rising", fields: ["high"], pattern: true },
  slow_rising: { name: "AIBrix slow rising", fields: ["high"], pattern: true },
  slight_fluctuation: { name: "AIBrix slight fluctuation", fields: ["high"], pattern: true },
  severe_fluctuation: { name: "AIBrix severe fluctuation", fields: ["high"], pattern: true },
};

function at(...corners) {
  return corners.map(([t, rate]) => ({ t_ms: tidy(t, 3), rate: tidy(rate, 6) }));
}

function sampled(from, to, wanted, rate) {
  const count = Math.min(Math.max(Math.ceil(wanted), 8), 2000);
  const share = (i) => i / count;
  return at(...Array.from({ length: count + 1 }, (_, i) => [from + share(i) * (to - from), rate(share(i))]));
}

function wave(low, high, share) {
  return low + (high - low) * share;
}

function tidy(number, decimals) {
  return Number(number.toFixed(decimals));
}
