import { contextOf, part, pixelRatio } from "../../shared/dom.js";
import { Projection } from "./projection.js";

/** @import { Size } from "./types.js" */

const GROUND = "#0b0d0f";
const WHEEL_IN = 1.25;
const WHEEL_OUT = 0.8;

/** Shows the picture, or two with a line between them, in the part that is in view. */
export class Viewport {
  /**
   * @param {ParentNode} root
   * @param {Size} size of the picture
   * @param {AbortSignal} signal ends it
   */
  constructor(root, size, signal) {
    this.place = part(root, "stage", HTMLElement);
    this.canvas = part(root, "still", HTMLCanvasElement);
    this.boxes = part(root, "boxes", SVGSVGElement);
    this.slider = part(root, "split", HTMLInputElement);
    this.loading = part(root, "loading", HTMLElement);
    this.failure = part(root, "failure", HTMLElement);
    this.projection = new Projection(size);
    /** @type {[ImageBitmap | null, ImageBitmap | null]} before and after */
    this.pictures = [null, null];
    this.onZoom = () => {};
    this.place.addEventListener("wheel", (event) => this.wheel(event), { passive: false, signal });
    this.slider.addEventListener("input", () => this.paint(), { signal });
  }

  /** Gives the width that there is; 0 while the page does not show it. */
  get availableWidth() {
    return this.place.clientWidth;
  }

  /**
   * Fits the picture into the place there is.
   * @param {number} width
   * @param {number} most greatest height
   */
  layout(width, most) {
    this.projection.fit(width, most);
    this.place.style.height = `${this.projection.height}px`;
    this.paint();
  }

  /**
   * Shows pictures; either may be missing. Those that were shown are closed.
   * @param {ImageBitmap | null} before
   * @param {ImageBitmap | null} after
   */
  show(before, after) {
    for (const old of this.pictures) {
      if (old !== before && old !== after) {
        old?.close();
      }
    }
    this.pictures = [before, after];
    this.slider.hidden = !(before && after);
    this.failure.hidden = true;
    this.paint();
  }

  /**
   * Says that a frame is on its way: the one before stays in sight, but nobody should take it for the new one.
   * @param {boolean} waits
   */
  wait(waits) {
    this.loading.hidden = !waits;
    this.place.classList.toggle("waiting", waits);
  }

  /**
   * Says why there is no picture.
   * @param {string} sentence
   */
  fail(sentence) {
    this.failure.textContent = sentence;
    this.failure.hidden = false;
  }

  /** Draws the pictures anew. */
  paint() {
    const { width, height } = this.projection;
    const ratio = pixelRatio();
    const [columns, rows] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (this.canvas.width !== columns || this.canvas.height !== rows) {
      Object.assign(this.canvas, { width: columns, height: rows });
    }
    const context = contextOf(this.canvas, { alpha: false });
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = GROUND;
    context.fillRect(0, 0, columns, rows);
    context.imageSmoothingQuality = "high";
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const [before, after] = this.pictures;
    if (before && after) {
      const line = (width * Number(this.slider.value)) / 100;
      this.put(context, before, 0, line);
      this.put(context, after, line, width);
      context.fillStyle = "#fff";
      context.fillRect(line - 1, 0, 2, height);
    } else if (before || after) {
      this.put(context, before ?? after, 0, width);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {ImageBitmap | null} picture
   * @param {number} from
   * @param {number} to
   */
  put(context, picture, from, to) {
    if (!picture) {
      return;
    }
    const { size, scale, inset, left, top, height } = this.projection;
    context.save();
    context.beginPath();
    context.rect(from, 0, to - from, height);
    context.clip();
    context.drawImage(picture, inset - left * scale, -top * scale, size.width * scale, size.height * scale);
    context.restore();
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    // Out of the whole frame the wheel scrolls the page, as everywhere.
    if (event.deltaY > 0 && !this.projection.isZoomed) {
      return;
    }
    event.preventDefault();
    const bounds = this.boxes.getBoundingClientRect();
    const point = this.projection.toPicture(event.clientX - bounds.left, event.clientY - bounds.top);
    this.projection.zoomTo(this.projection.zoom * (event.deltaY < 0 ? WHEEL_IN : WHEEL_OUT), point);
    this.onZoom();
  }
}
