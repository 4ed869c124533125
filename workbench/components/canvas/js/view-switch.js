/**
 * @import { FrameDisplay } from "./frame-display.js"
 * @import { ReviewState } from "./state.js"
 * @import { View } from "./types.js"
 */

/** Chooses between the picture before, the one after, and both. */
export class ViewSwitch {
  /**
   * @param {NodeListOf<HTMLElement>} buttons with `data-view`
   * @param {ReviewState} state
   * @param {FrameDisplay} display
   */
  constructor(buttons, state, display) {
    this.buttons = buttons;
    this.state = state;
    this.display = display;
    this.choose(state.view);
  }

  /**
   * Chooses a view.
   * @param {View} view
   */
  choose(view) {
    this.state.view = view;
    for (const button of this.buttons) {
      button.setAttribute("aria-checked", String(button.dataset.view === view));
    }
    if (this.state.painted !== null) {
      this.display.show(this.state.index);
    }
  }

  /**
   * Chooses a view, or the picture before if it is chosen.
   * @param {View} view
   */
  toggle(view) {
    this.choose(this.state.view === view ? "before" : view);
  }
}
