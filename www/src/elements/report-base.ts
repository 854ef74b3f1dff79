import { findImputer, findMetric } from '../plan.js';
import type { Column } from '../report.js';
import { AppElement } from './base.js';

/** What the parts of the report share. */
export abstract class ReportElement extends AppElement {
  protected metricName(id: string): string {
    const entry = findMetric(this.state.catalogue, id);
    return entry ? this.text('metric', entry).name : id;
  }

  /** What distinguishes a column from the others of its metric. */
  protected columnDetail({ metric, imputer, order }: Column, columns: readonly Column[]): string {
    const own = columns.filter((c) => c.metric === metric);
    const entry = findImputer(this.state.catalogue, imputer ?? '');
    const parts = [
      new Set(own.map((c) => c.imputer)).size > 1 && entry ? this.text('imputer', entry).name : '',
      order === null ? '' : this.t.report.orders[order],
    ];
    return parts.filter(Boolean).join(', ');
  }

  /** The metric's name, with what distinguishes the column. */
  protected columnName(column: Column, columns: readonly Column[]): string {
    const detail = this.columnDetail(column, columns);
    return detail ? `${this.metricName(column.metric)} (${detail})` : this.metricName(column.metric);
  }

  protected categoryName(category: string): string {
    return this.t.report.categories[category] ?? category;
  }
}
