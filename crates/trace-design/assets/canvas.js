// A canvas as large as its box, in the pixels of the screen.

/** Keeps a canvas as sharp and as large as it is shown, and paints it. */
export class Canvas {
  /** `paint(ctx, width, height)` in CSS pixels. */
  constructor(element, paint) {
    this.element = element;
    this.paint = paint;
    this.scheduled = false;
    new ResizeObserver(() => this.draw()).observe(element);
    document.addEventListener("themechange", () => this.draw());
  }

  /** Paint before the next frame. */
  draw() {
    if (this.scheduled) return;
    this.scheduled = true;
    requestAnimationFrame(() => {
      this.scheduled = false;
      this.now();
    });
  }

  /** Paint at once. */
  now() {
    const { element } = this;
    const [width, height] = [element.clientWidth, element.clientHeight];
    if (width === 0 || height === 0) return;
    const ratio = window.devicePixelRatio || 1;
    const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (element.width !== wide) element.width = wide;
    if (element.height !== high) element.height = high;
    const ctx = element.getContext("2d");
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    ctx.clearRect(0, 0, width, height);
    this.paint(ctx, width, height);
  }
}
