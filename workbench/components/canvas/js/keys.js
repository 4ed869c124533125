/* Keys, in one table: what the help shows is what happens. */

const KEYS = [
  ["ArrowRight", "→", "Next frame", (v) => v.step(1)],
  ["ArrowLeft", "←", "Frame back", (v) => v.step(-1)],
  [".", ". ,", "Next frame, frame back, also while a box is drawn", (v) => v.step(1)],
  [",", null, null, (v) => v.step(-1)],
  ["Shift+ArrowRight", "Shift+→ ←", "10 frames on, back", (v) => v.step(10)],
  ["Shift+ArrowLeft", null, null, (v) => v.step(-10)],
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
  ["g", "g", "Go to a frame by its number", (v) => v.askFrame()],
  ["a", "a", "Accept the spot", (v) => v.accept()],
  ["d", "d", "Draw a box: arrows move it, Alt+arrows resize it", (v) => v.drawInMiddle()],
  ["r", "r", "Resize the chosen box", (v) => v.resizeChosen()],
  ["x", "x", "Delete the track: no face", (v) => v.askDelete()],
  ["e", "e", "Extend the track to this frame", (v) => v.askExtend()],
  ["k", "k", "Keep the person visible", (v) => v.askVisible()],
  ["b", "b", "Blur whole frames of a range", (v) => v.askCover()],
  ["z", "z", "Undo the last amendment", (v) => v.undoLast()],
  ["m", "m", "Before, after", (v) => v.look(v.view === "after" ? "before" : "after")],
  ["s", "s", "Split", (v) => v.look(v.view === "split" ? "before" : "split")],
  ["+", "+ − 0", "Zoom in, out, fit; Ctrl+wheel, Alt+drag", (v) => v.stage.zoomTo(v.stage.zoom * 1.5)],
  ["=", null, null, (v) => v.stage.zoomTo(v.stage.zoom * 1.5)],
  ["-", null, null, (v) => v.stage.zoomTo(v.stage.zoom / 1.5)],
  ["0", null, null, (v) => v.stage.zoomTo(1)],
  ["t", "t", "Timeline: all, or around this frame", (v) => v.toggleSpan()],
  ["Enter", "Enter Esc", "Save, discard the box", (v) => v.save()],
  ["Escape", null, null, (v) => v.escape()],
  ["?", "?", "These keys", (v) => v.toggleHelp()],
];

const NUDGES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function keyOf(event) {
  const named = event.key.length > 1 && event.shiftKey;
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
  if (event.altKey) return false;
  if (target instanceof HTMLElement && target.matches("button, [role=tab], [role=radio], input") && ["Enter", " "].includes(event.key)) return false;
  const found = KEYS.find(([key]) => key === keyOf(event)) || KEYS.find(([key]) => key === event.key && !event.shiftKey);
  if (!found || (event.key === "Enter" && !viewer.draft)) return false;
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
