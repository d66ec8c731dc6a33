/** A canvas that draws nothing, and what else a chart asks of a browser that a test's page has not. */
export function giveCanvas(): void {
  const context: unknown = new Proxy(
    {},
    {
      get: (_, name) => (name === 'measureText' ? () => ({ width: 10, actualBoundingBoxAscent: 5, actualBoundingBoxDescent: 5 }) : () => undefined),
      set: () => true,
    },
  );
  vi.spyOn(HTMLCanvasElement.prototype, 'getContext').mockReturnValue(context as never);
  vi.stubGlobal('ResizeObserver', class { observe = () => undefined; unobserve = () => undefined; disconnect = () => undefined; });
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined, removeEventListener: () => undefined, addListener: () => undefined, removeListener: () => undefined }));
}
