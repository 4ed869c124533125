/** Keys that move the focus within a group, and by how many places; the rows are those of a list. */
const KEYS = new Map([
  ["ArrowRight", { by: 1, rows: false }],
  ["ArrowLeft", { by: -1, rows: false }],
  ["ArrowDown", { by: 1, rows: true }],
  ["ArrowUp", { by: -1, rows: true }],
  ["Home", { by: -Infinity, rows: false }],
  ["End", { by: Infinity, rows: false }],
]);

const CONTROLS = "button:not(:disabled), summary, input[type=checkbox]";

/**
 * Makes each group one stop of the Tab key; arrows go through it. Groups have the attribute `data-roving`, whose value
 * may select the controls that Up and Down go to. A control that the mouse was pressed on leaves the arrows to the
 * frames: only a focus that came by the keyboard moves.
 */
export class RovingFocus {
  /**
   * @param {HTMLElement} root
   * @param {AbortSignal} signal ends it
   */
  constructor(root, signal) {
    this.root = root;
    /** @type {WeakMap<Element, HTMLElement>} the control of each group that Tab leads to */
    this.stops = new WeakMap();
    /** Whether the focus came by the Tab key, and no pointer was used since. */
    this.byKeyboard = false;
    window.addEventListener("pointerdown", () => (this.byKeyboard = false), { capture: true, signal });
    window.addEventListener("keydown", ({ key }) => (this.byKeyboard ||= key === "Tab"), { capture: true, signal });
    root.addEventListener("focusin", (event) => this.focused(event.composedPath()[0]), { signal });
    const observer = new MutationObserver(() => this.refresh());
    for (const group of this.groups()) {
      observer.observe(group, { childList: true, subtree: true, attributes: true, attributeFilter: ["hidden"] });
    }
    signal.addEventListener("abort", () => observer.disconnect());
    this.refresh();
  }

  /** @returns {HTMLElement[]} */
  groups() {
    return [...this.root.querySelectorAll("[data-roving]")].filter((one) => one instanceof HTMLElement);
  }

  /**
   * Moves the focus within its group.
   * @param {KeyboardEvent} event
   * @returns {boolean} whether the key was one that does
   */
  pressed(event) {
    const target = event.composedPath()[0];
    const key = KEYS.get(event.key);
    if (!key || !this.byKeyboard || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) {
      return false;
    }
    if (!(target instanceof HTMLElement) || !target.matches(CONTROLS)) {
      return false;
    }
    const group = groupOf(target);
    if (!group) {
      return false;
    }
    const all = controlsOf(group);
    const rows = key.rows && group.dataset.roving ? all.filter((one) => one.matches(group.dataset.roving ?? "")) : all;
    const next = rows[nextPlace(placeIn(rows, target), rows.length, key.by)];
    next?.focus();
    return true;
  }

  /** Leaves one stop in each group. */
  refresh() {
    for (const group of this.groups()) {
      const controls = controlsOf(group);
      const kept = this.stops.get(group);
      const marked = controls.find((one) => one.classList.contains("current") || one.ariaSelected === "true");
      const stop = kept && controls.includes(kept) ? kept : (marked ?? controls[0]);
      for (const one of controls) {
        one.tabIndex = one === stop ? 0 : -1;
      }
    }
  }

  /** @param {EventTarget} target */
  focused(target) {
    const group = target instanceof HTMLElement && target.matches(CONTROLS) ? groupOf(target) : null;
    if (group && target instanceof HTMLElement) {
      this.stops.set(group, target);
      this.refresh();
    }
  }
}

/**
 * Gives the place after or before another one, from end to end and not around.
 * @param {number} at may lie between two places
 * @param {number} count
 * @param {number} by
 */
export function nextPlace(at, count, by) {
  const to = by > 0 ? Math.floor(at) + by : Math.ceil(at) + by;
  return Math.max(0, Math.min(count - 1, to));
}

/**
 * Gives the place of a control among others; half way between its neighbours if it is none of them.
 * @param {HTMLElement[]} controls
 * @param {HTMLElement} target
 */
function placeIn(controls, target) {
  const at = controls.indexOf(target);
  const before = controls.filter(
    (one) => one.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_FOLLOWING,
  ).length;
  return at < 0 ? before - 0.5 : at;
}

/** @param {HTMLElement} control */
function groupOf(control) {
  const group = control.closest("[data-roving]");
  return group instanceof HTMLElement ? group : null;
}

/**
 * Lists the controls of a group that can be seen, but not those of a group within it.
 * @param {HTMLElement} group
 * @returns {HTMLElement[]}
 */
function controlsOf(group) {
  return [...group.querySelectorAll(CONTROLS)].filter(
    /** @returns {one is HTMLElement} */ (one) =>
      one instanceof HTMLElement && groupOf(one) === group && one.checkVisibility(),
  );
}
