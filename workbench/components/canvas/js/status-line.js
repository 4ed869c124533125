/** How long a message stays. */
const LASTS = 12000;

/** Says what has just happened. */
export class StatusLine {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.timer = undefined;
  }

  /**
   * Says a sentence in place of the one before.
   * @param {string} text
   * @param {boolean} [bad] whether something went wrong
   */
  say(text, bad = false) {
    this.place.textContent = text;
    this.place.classList.toggle("bad", bad);
    // What went wrong stays until something else is said.
    clearTimeout(this.timer);
    this.timer = bad ? undefined : setTimeout(() => (this.place.textContent = ""), LASTS);
  }
}
