/* Keys, in one table: what the help shows is what happens. */

const KEYS = [
  ["ArrowRight", "→", "Next frame", (v) => v.step(1)],
  ["ArrowLeft", "←", "Frame back", (v) => v.step(-1)],
  [".", ". ,", "Next frame, frame back, also while a box is drawn", (v) => v.step(1)],
  [",", null, null, (v) => v.step(-1)],
  ["Shift+ArrowRight", "Shift+→ ←", "10 frames on, back", (v) => v.step(10)],
  ["Shift+ArrowLeft", null, null, (v) => v.step(-10)],
  [" ", "Space", "Play, pause; every frame is shown", (v) => v.play()],
  ["Shift+ ", "Shift+Space", "Play slowly", (v) => v.play(SLOW)],
  ["Home", "Home End", "First, last frame", (v) => v.goTo(0)],
  ["End", null, null, (v) => v.goTo(v.count - 1)],
  ["n", "n p", "Next, previous spot", (v) => v.spotBy(1)],
  ["p", null, null, (v) => v.spotBy(-1)],
  ["c", "c C", "Next, previous cut", (v) => v.cutBy(1)],
  ["C", null, null, (v) => v.cutBy(-1)],
  ["f", "f F", "Choose next, previous face", (v) => v.faceBy(1)],
  ["F", null, null, (v) => v.faceBy(-1)],
  ["[", "[ ]", "Start, end of the track", (v) => v.trackEdge(0)],
  ["]", null, null, (v) => v.trackEdge(1)],
  ["}", "{ }", "Previous, next track: where it begins", (v) => v.trackBy(1)],
  ["{", null, null, (v) => v.trackBy(-1)],
  ["g", "g", "Go to a frame by its number", (v) => v.askFrame()],
  ["a", "a", "Accept the spot", (v) => v.accept()],
  ["d", "d", "New face: arrows move the box, Alt+arrows resize it", (v) => v.drawInMiddle()],
  ["r", "r", "Resize the chosen box", (v) => v.resizeChosen()],
  ["x", "x", "Delete the track: no face", (v) => v.askDelete()],
  ["e", "e", "Extend the track: step to where, Enter", (v) => v.askExtend()],
  ["k", "k", "Keep the person visible", (v) => v.askVisible()],
  ["b", "b", "Blur whole frames: step to the last, Enter", (v) => v.askCover()],
  ["w", "w", "Write the reason", (v) => v.ask.why()],
  ["z", "z", "Undo the last amendment", (v) => v.undoLast()],
  ["m", "m", "Before, after", (v) => v.look(v.view === "after" ? "before" : "after")],
  ["s", "s", "Split", (v) => v.look(v.view === "split" ? "before" : "split")],
  ["v", "v", "View the face or spot closely, and back", (v) => v.closer()],
  ["h", "h", "Neighbours of this frame", (v) => v.toggleNearby()],
  ["+", "+ − 0", "Zoom in, out, fit; Ctrl+wheel", (v) => v.zoomBy(1.5)],
  [null, "Alt+←↑↓→", "Move the picture; Alt+drag", null],
  ["=", null, null, (v) => v.zoomBy(1.5)],
  ["-", null, null, (v) => v.zoomBy(1 / 1.5)],
  ["0", null, null, (v) => v.stage.zoomTo(1)],
  ["t", "t", "Timeline: all, or around this frame", (v) => v.toggleSpan()],
  ["Enter", "Enter Esc", "Save, discard what is open", (v) => v.save()],
  ["Escape", null, null, (v) => v.escape()],
  ["?", "?", "These keys", (v) => v.toggleHelp()],
];

const NUDGES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function keyOf(event) {
  const named = (event.key.length > 1 || event.key === " ") && event.shiftKey;
  return named ? `Shift+${event.key}` : event.key;
}

function typing(target) {
  return target instanceof HTMLElement && (target.isContentEditable || (target.matches("input, textarea, select") && !["radio", "checkbox"].includes(target.type)));
}

/* Whether the viewer did something with a key. */
function pressed(viewer, event) {
  if (event.ctrlKey || event.metaKey || event.isComposing) return false;
  const [target] = event.composedPath();
  if (event.key === "Escape" && (viewer.ask.open || viewer.helpOpen)) { viewer.escape(); return true; }
  if (typing(target)) return false;
  const nudge = NUDGES[event.key];
  if (nudge && viewer.draft) { viewer.nudge(nudge[0] * (event.shiftKey ? 10 : 1), nudge[1] * (event.shiftKey ? 10 : 1), event.altKey); return true; }
  if (nudge && event.altKey) { viewer.stage.pan(nudge[0] * 0.15, nudge[1] * 0.15); return true; }
  if (event.altKey) return false;
  if (target instanceof HTMLElement && target.matches("button, [role=tab], [role=radio], input") && ["Enter", " "].includes(event.key)) return false;
  const found = KEYS.find(([key]) => key === keyOf(event)) || KEYS.find(([key]) => key === event.key && !event.shiftKey);
  if (!found || (event.key === "Enter" && !viewer.ask.open)) return false;
  viewer.repeating = event.repeat;
  found[3](viewer);
  viewer.repeating = false;
  return true;
}

function helpOf(close) {
  const rows = KEYS.filter(([, shown]) => shown).map(([, shown, what]) => element("div", { className: "key" },
    element("dt", {}, ...shown.split(" ").flatMap((key, place) => (place ? [" ", element("kbd", {}, key)] : [element("kbd", {}, key)]))), element("dd", {}, what)));
  return [element("h3", {}, "Keys"), element("dl", {}, ...rows), element("button", { className: "main", onclick: close }, "Close")];
}
