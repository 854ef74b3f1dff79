import { css, html, nothing } from 'lit';
import { customElement } from 'lit/decorators.js';
import { agreement, orderPairs, worstPair, type OrderPair } from '../report.js';
import { shared } from '../styles/shared.js';
import { ReportElement } from './report-base.js';
import { vars } from './vars.js';

/** Rank correlations between columns as a matrix, and what they say about the verdict. */
@customElement('agreement-matrix')
export class AgreementMatrix extends ReportElement {
  static override styles = [
    shared,
    css`
      .scroll {
        position: relative;
        overflow-x: auto;
      }
      table {
        border-collapse: separate;
        border-spacing: 2px;
        font-size: 0.85em;
        font-variant-numeric: tabular-nums;
      }
      th {
        padding: 0.2em 0.5em;
        font-weight: 500;
        text-align: start;
      }
      thead th {
        text-align: center;
        color: var(--soft);
      }
      td {
        min-width: 3em;
        padding: 0.35em 0.4em;
        border-radius: 0.3em;
        text-align: center;
        background: color-mix(in srgb, var(--tone) calc(var(--strength) * 45%), var(--card));
      }
      .agree {
        --tone: var(--series-4);
      }
      .against {
        --tone: var(--series-1);
      }
      .none {
        --tone: var(--sunk);
        --strength: 1;
        color: var(--soft);
      }
      .name {
        max-width: 16em;
      }
    `,
  ];

  protected override render() {
    const { scores } = this.state;
    if (!scores || scores.columns.length < 2) return nothing;
    const { columns, rows } = scores;
    const t = this.t.report;
    const matrix = agreement(rows, columns);
    const worst = worstPair(rows, columns);
    const name = (k: number) => {
      const column = columns[k];
      return column ? this.columnName(column, columns) : '';
    };
    const known = matrix.some((line, i) => line.some((value, k) => i !== k && value !== null));
    return html`<div class="stack">
      <h3>${t.agreement}</h3>
      <p class="small soft">${t.agreementLead}</p>
      ${
        worst
          ? html`<p>
              ${t.disagree(
                this.columnName(worst.a, columns),
                this.columnName(worst.b, columns),
                this.#number(worst.correlation),
              )}
            </p>`
          : known
            ? html`<p>${t.agreeAll}</p>`
            : nothing
      }
      ${orderPairs(rows, columns).map((pair) => html`<p>${this.#orders(pair)}</p>`)}
      <div class="scroll" tabindex="0" role="region" aria-label=${t.agreementTable}>
        <table>
          <caption class="hidden-text">
            ${t.agreementTable}
          </caption>
          <thead>
            <tr>
              <td class="none" aria-hidden="true"></td>
              ${columns.map((_, k) => html`<th scope="col" aria-label=${name(k)} title=${name(k)}>${k + 1}</th>`)}
            </tr>
          </thead>
          <tbody>
            ${matrix.map(
              (line, i) =>
                html`<tr>
                  <th class="name" scope="row">${i + 1}. ${name(i)}</th>
                  ${line.map((value) => this.#cell(value))}
                </tr>`,
            )}
          </tbody>
        </table>
      </div>
    </div>`;
  }

  #number(value: number): string {
    return this.f.number(Math.round(value * 100) / 100);
  }

  #cell(value: number | null) {
    if (value === null) {
      return html`<td class="none" title=${this.t.report.noCorrelation}>
        <span aria-hidden="true">–</span><span class="hidden-text">${this.t.report.noCorrelation}</span>
      </td>`;
    }
    const strength = vars({ '--strength': String(Math.abs(value)) });
    return html`<td class=${value < 0 ? 'against' : 'agree'} ${strength}>${this.#number(value)}</td>`;
  }

  #orders({ morf, correlation }: OrderPair): string {
    const t = this.t.report;
    const { scores } = this.state;
    const several = new Set(scores?.columns.filter((c) => c.metric === morf.metric).map((c) => c.imputer)).size > 1;
    const imputer = this.state.catalogue?.imputers.find((i) => i.id === morf.imputer);
    const filled = several && imputer ? ` (${this.text('imputer', imputer).name})` : '';
    const name = `${this.metricName(morf.metric)}${filled}`;
    if (correlation === null) return t.ordersNone(name);
    // Half: the order of one explains a quarter of the other's.
    return (correlation >= 0.5 ? t.ordersAgree : t.ordersDisagree)(name, this.#number(correlation));
  }
}

declare global {
  interface HTMLElementTagNameMap {
    'agreement-matrix': AgreementMatrix;
  }
}
