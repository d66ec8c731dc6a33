// Run in a page by bench_chart.py: notes frames, and when each close that the page says it shows has been painted.
(() => {
  const shown = document.querySelector('[data-testid=last-close]');
  const noted = { frames: [], painted: [] };
  const now = () => (performance.timeOrigin + performance.now()) / 1000;

  // Attribute and chart change in the same turn, and the chart asked for its frame before we do: this runs after its drawing.
  const afterPaint = (act) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = act;
      port2.postMessage(null);
    });

  window.watch = (scrolled) => {
    new MutationObserver(() => {
      const close = Number(shown.dataset.close);
      afterPaint(() => noted.painted.push([close, now()]));
    }).observe(shown, { attributes: true, attributeFilter: ['data-close'] });
    const canvas = document.querySelector('[data-testid=chart] canvas');
    let towards = 1;
    const frame = (at) => {
      noted.frames.push(at);
      if (scrolled) {
        towards = noted.frames.length % 40 === 0 ? -towards : towards;
        canvas.dispatchEvent(new WheelEvent('wheel', { deltaX: 8 * towards, bubbles: true, cancelable: true }));
      }
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  };

  window.watched = () => ({ frames: noted.frames.splice(0), painted: noted.painted.splice(0) });
})();
