// The clock of the page, and how durations are written.

// The bridge's clock, since the times that it tells are its own: a wall screen
// whose clock is ten minutes off would otherwise show pauses that begin in the
// future.
export class Clock {
  #offset = 0;

  // Of the `Date` of an answer that has just come. It has whole seconds: half of
  // one is the best guess of what was cut off.
  learn(date) {
    const told = Date.parse(date ?? "");
    if (Number.isNaN(told)) return;
    const offset = told + 500 - Date.now();
    // Within the error of the guess, the clocks agree.
    this.#offset = Math.abs(offset) < 2000 ? 0 : offset;
  }

  now() {
    return Date.now() + this.#offset;
  }
}

// `0:07`, `12:34`, `1:02:03`; beyond two days `3 d`.
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds >= 172_800) return `${Math.floor(seconds / 86_400)} d`;
  const two = (number) => String(number).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}:${two(seconds % 60)}`;
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
}

export function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

export function timeOfDay(milliseconds) {
  return new Date(milliseconds).toLocaleTimeString([], { timeStyle: "medium" });
}
