import { Component, type ElementRef, viewChild } from '@angular/core';

/** What Foretick is, and whose work it stands on. */
@Component({
  selector: 'ft-about-dialog',
  template: `
    <button type="button" class="link-button" data-testid="about-button" (click)="open()">About</button>
    <dialog #dialog class="about" aria-labelledby="about-heading">
      <h2 id="about-heading">Foretick</h2>
      <p>
        Every bar, forecast, score and promotion is an event in a log; what this page shows is derived from it. Forecasts are
        shown beside the random walk, because most models do not beat it.
      </p>
      <p>Forecasts are statistics about the past, not advice.</p>
      <h3>Its workflows and models</h3>
      <p>
        The page Pipeline leads to MLflow and Airflow. Airflow asks who you are: user <code>admin</code>;
        <code>foretick status</code> says where its password is.
      </p>
      <h3>Charts</h3>
      <p>
        TradingView Lightweight Charts™, Copyright (c) 2025 TradingView, Inc.
        <a href="https://www.tradingview.com/" rel="noopener" target="_blank">https://www.tradingview.com/</a>. Licensed under the
        Apache License 2.0.
      </p>
      <h3>Colours</h3>
      <p>Okabe and Ito's palette (2008), told apart by every kind of colour vision.</p>
      <h3>Built with</h3>
      <p>Angular (MIT), RxJS (Apache License 2.0), fancy-canvas (MIT), tslib (0BSD).</p>
      <form method="dialog"><button class="button" autofocus>Close</button></form>
    </dialog>
  `,
})
export class AboutDialog {
  private readonly dialog = viewChild.required<ElementRef<HTMLDialogElement>>('dialog');

  protected open(): void {
    this.dialog().nativeElement.showModal();
  }
}
