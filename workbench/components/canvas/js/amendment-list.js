import { element } from "../../shared/dom.js";

/** @import { Amendment } from "./types.js" */

/**
 * @typedef {object} AmendmentHandlers
 * @property {(frame: number, track: number | null) => void} show
 * @property {(number: number) => void} undo
 */

/** Shows the amendments, the last one first. */
export class AmendmentList {
  /**
   * @param {HTMLElement} place
   * @param {AmendmentHandlers} handlers
   */
  constructor(place, handlers) {
    this.place = place;
    this.handlers = handlers;
  }

  /**
   * Shows amendments.
   * @param {Amendment[]} amendments
   * @param {boolean} mayAmend
   */
  draw(amendments, mayAmend) {
    const items = [...amendments].reverse().map((one) => this.item(one, mayAmend));
    const nothing = element("p", { className: "nothing" }, "No amendments yet.");
    this.place.replaceChildren(...(items.length ? items : [nothing]));
  }

  /**
   * @param {Amendment} one
   * @param {boolean} mayAmend
   */
  item(one, mayAmend) {
    return element(
      "div",
      { className: `amendment${one.undone ? " undone" : ""}` },
      element(
        "button",
        {
          className: "go what",
          disabled: one.frame === null,
          onclick: () => this.handlers.show(one.frame ?? 0, one.track), // disabled where it leads nowhere
        },
        `${one.number}. ${one.what}`,
      ),
      one.undone || !mayAmend
        ? element("span", { className: "quiet" }, one.undone ? "undone" : "")
        : this.undoButton(one.number),
      element("span", { className: "quiet" }, `${one.by}, ${one.at}${one.reason ? `: ${one.reason}` : ""}`),
    );
  }

  /** @param {number} number */
  undoButton(number) {
    const attributes = { "aria-label": `Undo amendment ${number}` };
    return element("button", { onclick: () => this.handlers.undo(number), attributes }, "Undo");
  }
}
