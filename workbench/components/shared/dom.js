/**
 * What an element is made with: its properties, `dataset`, and attributes that have no property.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @typedef {Partial<Omit<HTMLElementTagNameMap[Tag], "dataset" | "attributes" | "style">> & {
 *   dataset?: Record<string, string>, attributes?: Record<string, string>, style?: string,
 * }} Properties
 */

/**
 * Makes an HTML element.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} name
 * @param {Properties<Tag>} [properties]
 * @param {...(Node | string | null)} children those that are null are left out
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(name, properties, ...children) {
  const { dataset, attributes, ...rest } = properties ?? {};
  const made = Object.assign(document.createElement(name), rest);
  Object.assign(made.dataset, dataset ?? {});
  for (const [key, value] of Object.entries(attributes ?? {})) {
    made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null));
  return made;
}

/**
 * Finds the element that `data-at` names.
 * @template {Element} Kind
 * @param {ParentNode} root
 * @param {string} name
 * @param {new () => Kind} kind what it must be
 * @returns {Kind}
 */
export function part(root, name, kind) {
  const found = root.querySelector(`[data-at="${name}"]`);
  if (!(found instanceof kind)) {
    throw new Error(`The component has no ${kind.name} “${name}”.`);
  }
  return found;
}

/**
 * Gives the context of a canvas to draw in.
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 * @returns {CanvasRenderingContext2D}
 */
export function contextOf(canvas, settings) {
  const context = canvas.getContext("2d", settings);
  if (!context) {
    throw new Error("This browser gives no canvas to draw in.");
  }
  return context;
}

/**
 * Tells how many pixels the screen has for a pixel of the page.
 * @returns {number}
 */
export function pixelRatio() {
  return window.devicePixelRatio || 1;
}
