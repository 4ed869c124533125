import { actionOf } from "./keys.js";
import { RovingFocus } from "./roving-focus.js";

/**
 * @import { CommandName, Commands } from "./commands.js"
 * @import { BoxEditor } from "./box-editor.js"
 * @import { Help } from "./help.js"
 * @import { Prompt } from "./prompt.js"
 * @import { SidePanel, Tab } from "./side-panel.js"
 * @import { ReviewState } from "./state.js"
 * @import { View } from "./types.js"
 * @import { ViewSwitch } from "./view-switch.js"
 * @import { Zoom } from "./zoom.js"
 */

/**
 * @typedef {object} ControlParts
 * @property {Commands} commands
 * @property {BoxEditor} editor
 * @property {Help} help
 * @property {SidePanel} panel
 * @property {Prompt} prompt
 * @property {ReviewState} state
 * @property {ViewSwitch} views
 * @property {Zoom} zoom
 */

/** Turns keys and clicks on buttons into what they stand for. */
export class Controls {
  /**
   * @param {HTMLElement} root
   * @param {ControlParts} parts
   * @param {AbortSignal} signal ends it
   */
  constructor(root, parts, signal) {
    this.root = root;
    this.parts = parts;
    this.roving = new RovingFocus(root, signal);
    // Before the shortcuts of Streamlit.
    window.addEventListener("keydown", (event) => this.pressed(event), { capture: true, signal });
    root.addEventListener("click", (event) => this.clicked(event), { signal });
  }

  /** @param {MouseEvent} event */
  clicked(event) {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    const { do: command, view, tab } = button?.dataset ?? {};
    if (view) {
      this.parts.views.choose(/** @type {View} */ (view));
    }
    if (tab) {
      this.parts.panel.choose(/** @type {Tab} */ (tab));
    }
    if (command) {
      this.parts.commands[/** @type {CommandName} */ (command)](false);
    }
  }

  /** @param {KeyboardEvent} event */
  pressed(event) {
    const isInside = event.composedPath().includes(this.root);
    const active = document.activeElement;
    if (!isInside && active && active !== document.body && !isLeftTo(active, event.key)) {
      return;
    }
    if (this.parts.state.count && (this.roving.pressed(event) || this.act(event))) {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
  }

  /**
   * Does what a key stands for.
   * @param {KeyboardEvent} event
   * @returns {boolean} whether it stands for anything
   */
  act(event) {
    const { commands, editor, help, prompt, state, zoom } = this.parts;
    const situation = { prompting: prompt.open, helping: help.open, drafting: state.draft !== null };
    const action = actionOf(event, event.composedPath()[0], situation);
    switch (action?.kind) {
      case "command":
        commands[action.name](event.repeat);
        return true;
      case "nudge":
        editor.nudge(action.x, action.y, action.resizes);
        return true;
      case "pan":
        zoom.pan(action.x, action.y);
        return true;
      default:
        return false;
    }
  }
}

/**
 * Tells whether a key is a shortcut although the focus is outside of the canvas: a letter, while the focus is on a
 * switch or a button and nothing lies over the page.
 * @param {Element} active
 * @param {string} key
 */
function isLeftTo(active, key) {
  const isPressable = active.matches("button, a, [role=switch], input[type=checkbox], [tabindex]");
  return (
    key.length === 1 && key !== " " && isPressable && !active.closest("[role=dialog], [role=menu], [role=listbox]")
  );
}
