/**
 * The element that Streamlit hands to a component.
 * @typedef {ShadowRoot | HTMLElement} Host
 */

/**
 * What lives in a host for as long as the page shows it.
 * @typedef {{ end(): void }} Ending
 */

/** Streamlit also calls the clean-up when it draws the same element again at once. */
const GRACE = 1500;

/**
 * Keeps one object for a host over reruns, and ends it some time after the last one.
 *
 * It is kept on the host because Streamlit may evaluate a module more than once.
 * @template {Ending} Kept
 * @param {Host} host
 * @param {(kept: Kept | null) => Kept} renew gives the object to keep from the one that is there
 * @returns {() => void} the clean-up for Streamlit
 */
export function keep(host, renew) {
  const holder = /** @type {Host & { kept?: Kept, ending?: ReturnType<typeof setTimeout> }} */ (host);
  clearTimeout(holder.ending);
  const kept = renew(holder.kept ?? null);
  holder.kept = kept;
  return () => {
    holder.ending = setTimeout(() => {
      kept.end();
      delete holder.kept;
    }, GRACE);
  };
}
