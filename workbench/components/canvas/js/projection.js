/** @import { Box, Size } from "./types.js" */

/** @typedef {{ x: number, y: number, width: number, height: number }} Rectangle */

const MOST_ZOOM = 16;

/** Zooms so little above the whole picture count as none. */
const HARDLY = 1.01;

/** Least zoom of a close view. */
const CLOSE = 1.5;

/** Converts between pixels of the picture and those of the viewport, for the part of the picture that is in view. */
export class Projection {
  /** @param {Size} size of the picture */
  constructor(size) {
    this.size = size;
    /** Size of the viewport. */
    this.width = 0;
    this.height = 0;
    /** Scale in which the whole picture fits. */
    this.fitted = 1;
    this.zoom = 1;
    this.left = 0;
    this.top = 0;
  }

  /**
   * Fits the picture into the place there is.
   * @param {number} width
   * @param {number} most greatest height
   */
  fit(width, most) {
    this.fitted = Math.min(width / this.size.width, most / this.size.height);
    this.height = Math.round(this.size.height * this.fitted);
    this.width = width;
  }

  /** Gives how many pixels of the viewport a pixel of the picture takes. */
  get scale() {
    return this.fitted * this.zoom;
  }

  /** Tells whether only a part of the picture is in view. */
  get isZoomed() {
    return this.zoom > HARDLY;
  }

  /** Gives where the picture begins: in the middle when it is narrower than the viewport. */
  get inset() {
    return Math.max(0, (this.width - this.size.width * this.scale) / 2);
  }

  /** Gives the size of what is in view. */
  get seen() {
    return {
      width: Math.min(this.size.width, this.width / this.scale),
      height: Math.min(this.size.height, this.height / this.scale),
    };
  }

  /**
   * Gives the longer side of a still that shows every pixel the screen has.
   * @param {number} ratio pixels of the screen for one of the page
   */
  longestSide(ratio) {
    const longest = Math.max(this.size.width, this.size.height);
    return Math.min(longest, Math.ceil(longest * this.scale * ratio));
  }

  /**
   * Zooms about a point, which stays where it is; without one, about the middle.
   * @param {number} zoom
   * @param {[number, number]} [point]
   */
  zoomTo(zoom, point) {
    const before = this.zoom;
    const [x, y] = point ?? [this.left + this.size.width / before / 2, this.top + this.size.height / before / 2];
    this.zoom = withinLimits(zoom);
    this.left = x - ((x - this.left) * before) / this.zoom;
    this.top = y - ((y - this.top) * before) / this.zoom;
    this.hold();
  }

  /**
   * Zooms with a box in the middle; without one, about the middle of what is in view.
   * @param {number} zoom
   * @param {Box | null} box
   */
  zoomOn(zoom, box) {
    if (!box) {
      this.zoomTo(zoom);
      return;
    }
    this.zoom = withinLimits(zoom);
    this.centre(box);
  }

  /**
   * Gives the zoom in which a box takes a share of the viewport.
   * @param {Box} box
   * @param {number} share
   */
  zoomFor([left, top, right, bottom], share) {
    const fitting = Math.min(this.width / (right - left), this.height / (bottom - top));
    return Math.max(CLOSE, (share * fitting) / this.fitted);
  }

  /**
   * Moves a box to the middle.
   * @param {Box} box
   */
  centre([left, top, right, bottom]) {
    this.moveTo((left + right) / 2 - this.width / this.scale / 2, (top + bottom) / 2 - this.height / this.scale / 2);
  }

  /**
   * Moves the view by shares of what is in view.
   * @param {number} across
   * @param {number} down
   */
  pan(across, down) {
    this.moveTo(this.left + (across * this.width) / this.scale, this.top + (down * this.height) / this.scale);
  }

  /**
   * Moves the corner of the view, within the picture.
   * @param {number} left
   * @param {number} top
   */
  moveTo(left, top) {
    this.left = left;
    this.top = top;
    this.hold();
  }

  /** Keeps the view within the picture. */
  hold() {
    const seen = this.seen;
    this.left = Math.min(this.size.width - seen.width, Math.max(0, this.left));
    this.top = Math.min(this.size.height - seen.height, Math.max(0, this.top));
  }

  /**
   * Tells whether the whole of a box is in view.
   * @param {Box} box
   */
  shows(box) {
    const { x, y, width, height } = this.onScreen(box);
    return x >= 0 && y >= 0 && x + width <= this.width && y + height <= this.height;
  }

  /**
   * Tells whether any of a box is in view.
   * @param {Box} box
   */
  meets(box) {
    const { x, y, width, height } = this.onScreen(box);
    return x < this.width && y < this.height && x + width > 0 && y + height > 0;
  }

  /**
   * Gives where a box is in the viewport.
   * @param {Box} box
   * @returns {Rectangle}
   */
  onScreen([left, top, right, bottom]) {
    const scale = this.scale;
    return {
      x: this.inset + (left - this.left) * scale,
      y: (top - this.top) * scale,
      width: (right - left) * scale,
      height: (bottom - top) * scale,
    };
  }

  /**
   * Gives the point of the picture at a point of the viewport.
   * @param {number} x
   * @param {number} y
   * @returns {[number, number]}
   */
  toPicture(x, y) {
    return [(x - this.inset) / this.scale + this.left, y / this.scale + this.top];
  }

  /**
   * Gives a square in the middle of what is in view.
   * @returns {Box}
   */
  middleBox() {
    const half = Math.min(this.size.width, this.size.height) / 6 / Math.sqrt(this.zoom) / 2;
    const x = this.left + this.seen.width / 2;
    const y = this.top + this.seen.height / 2;
    return [x - half, y - half, x + half, y + half];
  }
}

/** @param {number} zoom */
function withinLimits(zoom) {
  return Math.min(MOST_ZOOM, Math.max(1, zoom));
}
