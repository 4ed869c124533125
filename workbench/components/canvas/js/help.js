import { element } from "../../shared/dom.js";
import { KEYS } from "./keys.js";

/** Shows what the keys do. */
export class Help {
  /**
   * @param {HTMLElement} place
   * @param {() => void} back called when it is closed
   */
  constructor(place, back) {
    this.place = place;
    this.back = back;
  }

  get open() {
    return !this.place.hidden;
  }

  /** Opens or closes it. */
  toggle() {
    if (this.open) {
      this.place.hidden = true;
      this.back();
      return;
    }
    const close = element("button", { className: "main", onclick: () => this.toggle() }, "Close");
    const rows = KEYS.flatMap(({ shown, what }) => (shown && what ? [row(shown, what)] : []));
    this.place.replaceChildren(element("h3", {}, "Keyboard shortcuts"), element("dl", {}, ...rows), close);
    this.place.hidden = false;
    // On a phone the button is below the screen; the keys are read from the top.
    close.focus({ preventScroll: true });
  }
}

/**
 * @param {string} keys separated by blanks
 * @param {string} what they do
 */
function row(keys, what) {
  const written = keys.split(" ").flatMap((key) => [" ", element("kbd", {}, key)]);
  return element("div", { className: "key" }, element("dt", {}, ...written.slice(1)), element("dd", {}, what));
}
