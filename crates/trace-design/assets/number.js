// Numbers as people write and read them: times, rates, counts.

const UNITS = { ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Milliseconds of a time such as `90`, `90s`, `1.5m`, `1h30m`, `250ms`,
 * `1:30` or `1:02:03`; a bare number is seconds. null if it is none.
 */
export function parseTime(text) {
  const typed = String(text).trim().toLowerCase();
  if (typed === "") return null;
  if (/^[+]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/.test(typed)) return finite(Number(typed) * 1000);
  if (/^\d+(:[0-5]?\d){1,2}(\.\d+)?$/.test(typed)) {
    const seconds = typed.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
    return finite(seconds * 1000);
  }
  const parts = typed.match(/(\d+\.?\d*|\.\d+)\s*(ms|min|s|m|h|d)\s*/g);
  if (!parts || parts.join("") !== typed) return null;
  const sum = parts.reduce((total, part) => {
    const unit = part.trim().match(/[a-z]+$/)[0];
    return total + parseFloat(part) * UNITS[unit];
  }, 0);
  return finite(sum);
}

/** Requests per second of `20`, `20/s`, `300/min` or `50/h`; null if it is none. */
export function parseRate(text) {
  const typed = String(text).trim().toLowerCase();
  const parts = typed.match(/^((?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)\s*(?:\/\s*(s|min|h))?$/);
  if (!parts) return null;
  return finite(Number(parts[1]) / { s: 1, min: 60, h: 3600 }[parts[2] ?? "s"]);
}

/**
 * A seed, 0 to 2^64 − 1: a number, or where numbers are not exact any more the
 * text of its digits, as the server has it; null if it is none.
 */
export function parseSeed(text) {
  const typed = String(text).trim();
  if (!/^\d{1,40}$/.test(typed)) return null;
  const seed = BigInt(typed);
  if (seed >= 2n ** 64n) return null;
  return seed <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(seed) : String(seed);
}

function finite(number) {
  return Number.isFinite(number) && number >= 0 ? number : null;
}

/** `number` with at most `decimals` of them, without trailing zeros. */
export function trimmed(number, decimals) {
  return String(Number(number.toFixed(decimals)));
}

/** Seconds of `ms`, as typed in the table: to the microsecond. */
export function seconds(ms) {
  return trimmed(ms / 1000, 6);
}

/** A rate as typed in the table. */
export function rateText(rate) {
  return rate !== 0 && rate < 1e-4 ? rate.toExponential(3) : trimmed(rate, 4);
}

/** A time as told to people: `12.5 s`, `3:05 min`, `2:30 h`. */
export function spokenTime(ms) {
  if (ms < 1000) return `${trimmed(ms, ms < 10 ? 2 : 0)} ms`;
  if (ms < 120_000) return `${trimmed(ms / 1000, ms < 10_000 ? 2 : 1)} s`;
  const whole = Math.round(ms / 1000);
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  if (h >= 48) return `${Math.floor(h / 24)} d ${h % 24}:${two(m)} h`;
  return h > 0 ? `${h}:${two(m)}:${two(s)} h` : `${m}:${two(s)} min`;
}

/** A duration that {@link parseTime} reads back as it was. */
export function durationText(ms) {
  for (const [unit, size] of [["h", UNITS.h], ["m", UNITS.m]]) {
    if (ms >= 2 * size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return ms < 1000 ? `${trimmed(ms, 3)}ms` : `${seconds(ms)}s`;
}

/** A count with its thousands apart. */
export function countText(count) {
  return Math.round(count).toLocaleString("en-US");
}

/** A large number in three digits: `1.23 M`. */
export function short(number) {
  const sizes = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"]];
  const size = sizes.find(([least]) => Math.abs(number) >= least);
  if (!size) return Math.abs(number) >= 100 ? countText(number) : trimmed(number, 2);
  const by = size[1] === "k" ? 1e3 : size[0];
  return `${Number((number / by).toPrecision(3))} ${size[1]}`;
}

/** The smallest round number that is at least `number`, such as 150 or 0.4. */
export function niceAbove(number) {
  if (!(number > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(number));
  const factor = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((nice) => nice * power >= number * (1 - 1e-9));
  return Number((factor * power).toPrecision(3));
}
