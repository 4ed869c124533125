/** Says what has just happened. */
export class StatusLine {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
  }

  /**
   * Says a sentence in place of the one before.
   * @param {string} text
   * @param {boolean} [bad] whether something went wrong
   */
  say(text, bad = false) {
    this.place.textContent = text;
    this.place.classList.toggle("bad", bad);
  }
}
