// Notices that the program has been upgraded: then the bridge serves another version of the page.

/** @import { Clock } from "../shared/time.js" */

// The sessionStorage key of the version for which the page was reloaded last.
const TRIED_KEY = "ami-bridge.upgrade";

// How long to wait for the response, in milliseconds.
const TIMEOUT = 10_000;

/**
 * Returns true if the page must be reloaded. It is reloaded only once for each version, so that a
 * proxy which changes the `ETag` can't make it reload forever.
 *
 * @param {string | null} tag the `ETag` that the bridge sends now
 * @param {string} version the version of this page, which is part of its `ETag`
 * @param {string | null} tried the `ETag` for which the page was reloaded last
 */
export function mustReload(tag, version, tried) {
  return tag !== null && !tag.includes(version) && tag !== tried;
}

/**
 * Reloads the page if the bridge has another version of it. Also sets the clock.
 *
 * @param {Clock} clock
 * @param {() => void} reload
 */
export async function reloadAfterUpgrade(clock, reload) {
  const sentAt = Date.now();
  try {
    const signal = AbortSignal.timeout(TIMEOUT);
    const response = await fetch("wall", { method: "HEAD", cache: "no-store", credentials: "omit", signal });
    if (!response.ok) return;
    clock.synchronize(response.headers.get("Date"), sentAt);
    const tag = response.headers.get("ETag");
    const version = document.documentElement.dataset.version ?? "";
    if (!mustReload(tag, version, sessionStorage.getItem(TRIED_KEY))) return;
    sessionStorage.setItem(TRIED_KEY, String(tag));
    reload();
  } catch {
    // The bridge can't be reached, or the browser does not allow storage: then nothing could
    // prevent a page from reloading forever.
  }
}
