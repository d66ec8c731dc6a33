// What most pages do: each message that comes in goes to the chart at once; with `?anew` by giving it all bars again.
(async () => {
  const { createChart, CandlestickSeries, HistogramSeries } = LightweightCharts;
  const anew = location.search === '?anew';
  const host = document.querySelector('[data-testid=chart]');
  const chart = createChart(host, { width: host.clientWidth, height: host.clientHeight });
  const [candles, volumes] = [chart.addSeries(CandlestickSeries), chart.addSeries(HistogramSeries, {}, 1)];
  const barOf = ({ closed_at, open, high, low, close, volume }) => ({ time: Date.parse(closed_at) / 1000, open, high, low, close, volume });
  const volumeOf = ({ time, volume }) => ({ time, value: volume });

  const { items } = await (await fetch('/api/bars/BENCH?limit=2000')).json();
  const bars = items.map(barOf);
  const drawAll = () => {
    candles.setData(bars);
    volumes.setData(bars.map(volumeOf));
  };
  drawAll();
  chart.timeScale().fitContent();

  const take = (bar) => {
    if (bars.at(-1).time === bar.time) bars[bars.length - 1] = bar;
    else if (bars.at(-1).time < bar.time) bars.push(bar);
    else return;
    if (anew) drawAll();
    else {
      candles.update(bar);
      volumes.update(volumeOf(bar));
    }
    document.querySelector('[data-testid=last-close]').dataset.close = bar.close;
  };
  const socket = new WebSocket(`ws://${location.host}/live?symbols=BENCH`);
  socket.onmessage = ({ data }) => {
    for (const message of [JSON.parse(data)].flat()) if (message.type === 'bar') take(barOf(message.data));
  };
  socket.onopen = () => {
    document.querySelector('[data-testid=bars-count]').dataset.count = bars.length;
  };
})();
