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
  { key: "ArrowLeft", shown: "←", what: "Previous frame", command: "back" },
  { key: ".", shown: ". ,", what: "Next, previous frame, also while you draw a box", command: "on" },
  { key: ",", command: "back" },
  { key: "Shift+ArrowRight", shown: "Shift+→ ←", what: "Forward, back 10 frames", command: "on10" },
  { key: "Shift+ArrowLeft", command: "back10" },
  { key: " ", shown: "Space", what: "Play, pause", command: "play" },
  { key: "l", shown: "j k l", what: "Play back, pause, play; again: faster", command: "playOn" },
  { key: "k", command: "pause" },
  { key: "j", command: "playBack" },
  { key: "L", shown: "L", what: "Loop the item or the marked range", command: "loop" },
  { key: "i", shown: "i o", what: "Mark the first, last frame of a range, or of a followed face", command: "markIn" },
  { key: "o", command: "markOut" },
  { key: "u", shown: "u", what: "Remove the marks", command: "unmark" },
  { key: "Shift+ ", shown: "Shift+Space", what: "Play in slow motion", command: "playSlowly" },
  { key: "Home", shown: "Home End", what: "First, last frame", command: "firstFrame" },
  { key: "End", command: "lastFrame" },
  { key: "n", shown: "n p", what: "Next, previous item to check", command: "nextItem" },
  { key: "p", command: "prevItem" },
  { key: "y", shown: "y Y", what: "Next, previous person", command: "nextPerson" },
  { key: "Y", command: "prevPerson" },
  { key: "c", shown: "c C", what: "Next, previous cut", command: "nextCut" },
  { key: "C", command: "prevCut" },
  { key: "f", shown: "f F", what: "Choose next, previous face", command: "nextFace" },
  { key: "F", command: "prevFace" },
  { key: "[", shown: "[ ]", what: "Start, end of the track", command: "trackStart" },
  { key: "]", command: "trackEnd" },
  { key: "}", shown: "{ }", what: "Start of the previous, next track", command: "nextTrack" },
  { key: "{", command: "prevTrack" },
  { key: "g", shown: "g", what: "Go to a frame number", command: "frameNumber" },
  { key: "a", shown: "a", what: "Confirm the item, or that the masks of the person are right", command: "accept" },
  { key: "d", shown: "d", what: "Add a face: arrows move the box, Alt+arrows resize it", command: "draw" },
  { key: "D", shown: "D", what: "Follow the face from the box that is drawn, both ways", command: "follow" },
  {
    key: "q",
    shown: "q",
    what: "Find places like the box or the chosen face that are not masked",
    command: "findSimilar",
  },
  { key: "r", shown: "r", what: "Resize the chosen box", command: "resize" },
  { key: "x", shown: "x", what: "Not a face: remove the mask of the track, or of the person", command: "delete" },
  { key: "e", shown: "e", what: "Extend the track: step to its new end, then Enter", command: "extend" },
  { key: "K", shown: "K", what: "Keep the person visible", command: "visible" },
  { key: "b", shown: "b", what: "Mask whole frames: step to the last one, then Enter", command: "cover" },
  {
    key: "M",
    shown: "M",
    what: "Mute or bleep the marked range; or drag on the sound of the timeline",
    command: "silence",
  },
  { key: "S", shown: "S", what: "Sound off, on", command: "sound" },
  { key: "N", shown: "N", what: "Write a note on the item or the frame", command: "note" },
  { key: "w", shown: "w", what: "Type the reason", command: "reason" },
  { key: "z", shown: "z Z", what: "Undo, redo; also Ctrl+Z, Ctrl+Shift+Z", command: "undoLast" },
  { key: "Z", command: "redoLast" },
  { key: "m", shown: "m", what: "Switch between before and after", command: "toggleAfter" },
  { key: "s", shown: "s", what: "Split view", command: "toggleSplit" },
  { key: "v", shown: "v", what: "Zoom to the face or the item, and back", command: "zoomToFace" },
  { key: "h", shown: "h", what: "Hide the boxes, and show them", command: "hideBoxes" },
  { key: "H", shown: "H", what: "Filmstrip of the frames around this one", command: "filmstrip" },
  { key: "+", shown: "+ − 0", what: "Zoom in, zoom out, fit; or the wheel", command: "zoomIn" },
  { key: null, shown: "Alt+←↑↓→", what: "Move the frame; or drag it while it is zoomed" },
  { key: "=", command: "zoomIn" },
  { key: "-", command: "zoomOut" },
  { key: "0", command: "fit" },
  { key: "t", shown: "t", what: "Zoom the timeline to this frame, and back; or the wheel", command: "span" },
  { key: "Enter", shown: "Enter Esc", what: "Save, discard the open form", command: "save" },
  { key: "Escape", command: "escape" },
  { key: "?", shown: "?", what: "Show these shortcuts", command: "help" },
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
  if (event.isComposing) {
    return null;
  }
  if (event.ctrlKey || event.metaKey) {
    return takesText(target) ? null : undoAction(event);
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
 * Gives what Ctrl or Cmd and a key do, where it is not a shortcut of the browser.
 * @param {KeyboardEvent} event
 * @returns {KeyAction | null}
 */
function undoAction({ key, shiftKey, altKey }) {
  if (altKey || key.toLowerCase() !== "z") {
    return null;
  }
  return { kind: "command", name: shiftKey ? "redoLast" : "undoLast" };
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
