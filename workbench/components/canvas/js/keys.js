/** @import { CommandName } from "./commands.js" */

/**
 * A key: what the help shows of it, if anything, and the command that it gives, if it is one.
 * @typedef {object} Key
 * @property {string | null} key
 * @property {string} [shown]
 * @property {string} [what]
 * @property {CommandName} [command]
 */

/**
 * What a key does.
 * @typedef {{ kind: "command", name: CommandName }
 *   | { kind: "nudge", x: number, y: number, resizes: boolean }
 *   | { kind: "pan", x: number, y: number }} KeyAction
 */

/**
 * What is going on when a key is pressed.
 * @typedef {{ prompting: boolean, helping: boolean, drafting: boolean }} Situation
 */

/** Share of what is in view that the picture moves by. */
const PAN = 0.15;

/** How much farther Shift moves a box. */
const FAR = 10;

/**
 * All keys, in one table: what the help shows is what happens.
 * @type {Key[]}
 */
export const KEYS = [
  { key: "ArrowRight", shown: "→", what: "Next frame", command: "on" },
  { key: "ArrowLeft", shown: "←", what: "Frame back", command: "back" },
  { key: ".", shown: ". ,", what: "Next frame, frame back, also while a box is drawn", command: "on" },
  { key: ",", command: "back" },
  { key: "Shift+ArrowRight", shown: "Shift+→ ←", what: "10 frames on, back", command: "on10" },
  { key: "Shift+ArrowLeft", command: "back10" },
  { key: " ", shown: "Space", what: "Play, pause; every frame is shown", command: "play" },
  { key: "Shift+ ", shown: "Shift+Space", what: "Play slowly", command: "playSlowly" },
  { key: "Home", shown: "Home End", what: "First, last frame", command: "firstFrame" },
  { key: "End", command: "lastFrame" },
  { key: "n", shown: "n p", what: "Next, previous spot", command: "nextSpot" },
  { key: "p", command: "prevSpot" },
  { key: "c", shown: "c C", what: "Next, previous cut", command: "nextCut" },
  { key: "C", command: "prevCut" },
  { key: "f", shown: "f F", what: "Choose next, previous face", command: "nextFace" },
  { key: "F", command: "prevFace" },
  { key: "[", shown: "[ ]", what: "Start, end of the track", command: "trackStart" },
  { key: "]", command: "trackEnd" },
  { key: "}", shown: "{ }", what: "Previous, next track: where it begins", command: "nextTrack" },
  { key: "{", command: "prevTrack" },
  { key: "g", shown: "g", what: "Go to a frame by its number", command: "frameNumber" },
  { key: "a", shown: "a", what: "Accept the spot", command: "accept" },
  { key: "d", shown: "d", what: "New face: arrows move the box, Alt+arrows resize it", command: "draw" },
  { key: "r", shown: "r", what: "Resize the chosen box", command: "resize" },
  { key: "x", shown: "x", what: "Delete the track: no face", command: "delete" },
  { key: "e", shown: "e", what: "Extend the track: step to where, Enter", command: "extend" },
  { key: "k", shown: "k", what: "Keep the person visible", command: "visible" },
  { key: "b", shown: "b", what: "Blur whole frames: step to the last, Enter", command: "cover" },
  { key: "w", shown: "w", what: "Write the reason", command: "reason" },
  { key: "z", shown: "z", what: "Undo the last amendment", command: "undoLast" },
  { key: "m", shown: "m", what: "Before, after", command: "toggleAfter" },
  { key: "s", shown: "s", what: "Split", command: "toggleSplit" },
  { key: "v", shown: "v", what: "View the face or spot closely, and back", command: "closer" },
  { key: "h", shown: "h", what: "Neighbours of this frame", command: "nearby" },
  { key: "+", shown: "+ − 0", what: "Zoom in, out, fit; Ctrl+wheel", command: "zoomIn" },
  { key: null, shown: "Alt+←↑↓→", what: "Move the picture; Alt+drag" },
  { key: "=", command: "zoomIn" },
  { key: "-", command: "zoomOut" },
  { key: "0", command: "fit" },
  { key: "t", shown: "t", what: "Timeline: all, or around this frame", command: "span" },
  { key: "Enter", shown: "Enter Esc", what: "Save, discard what is open", command: "save" },
  { key: "Escape", command: "escape" },
  { key: "?", shown: "?", what: "These keys", command: "help" },
];

/** @type {Record<string, [x: number, y: number] | undefined>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Gives what a key does.
 * @param {KeyboardEvent} event
 * @param {EventTarget | undefined} target that the event began at, also inside the component
 * @param {Situation} situation
 * @returns {KeyAction | null} null when the key is somebody else's
 */
export function actionOf(event, target, { prompting, helping, drafting }) {
  if (event.ctrlKey || event.metaKey || event.isComposing) {
    return null;
  }
  if (event.key === "Escape" && (prompting || helping)) {
    return { kind: "command", name: "escape" };
  }
  if (takesText(target) || isPressedBy(target, event.key)) {
    return null;
  }
  const arrow = ARROWS[event.key];
  if (arrow && (drafting || event.altKey)) {
    return arrowAction(arrow, event, drafting);
  }
  const name = event.altKey ? undefined : commandOf(event, prompting);
  return name ? { kind: "command", name } : null;
}

/**
 * Gives what an arrow does to the box that is drawn, else to the picture.
 * @param {[x: number, y: number]} arrow
 * @param {KeyboardEvent} event
 * @param {boolean} drafting
 * @returns {KeyAction}
 */
function arrowAction([x, y], { shiftKey, altKey }, drafting) {
  if (!drafting) {
    return { kind: "pan", x: x * PAN, y: y * PAN };
  }
  const far = shiftKey ? FAR : 1;
  return { kind: "nudge", x: x * far, y: y * far, resizes: altKey };
}

/**
 * Finds the command of a key; nothing can be saved while no form is open.
 * @param {KeyboardEvent} event
 * @param {boolean} prompting
 * @returns {CommandName | undefined}
 */
function commandOf({ key, shiftKey }, prompting) {
  const isNamed = key.length > 1 || key === " ";
  const pressed = isNamed && shiftKey ? `Shift+${key}` : key;
  const command = KEYS.find((one) => one.key === pressed)?.command;
  return command === "save" && !prompting ? undefined : command;
}

/**
 * Tells whether what is typed goes into an element.
 * @param {EventTarget | undefined} target
 */
function takesText(target) {
  if (!(target instanceof HTMLElement)) {
    return false;
  }
  return target.isContentEditable || target.matches("input:not([type=radio], [type=checkbox]), textarea, select");
}

/**
 * Tells whether a key presses an element, as Space does a button.
 * @param {EventTarget | undefined} target
 * @param {string} key
 */
function isPressedBy(target, key) {
  const presses = key === "Enter" || key === " ";
  return presses && target instanceof HTMLElement && target.matches("button, [role=tab], [role=radio], input");
}
