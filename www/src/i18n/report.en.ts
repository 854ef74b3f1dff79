/** The texts of the report. */
export const reportEn = {
  goOn: 'Go on',
  maps: 'Maps to compare',
  mapsHere: (count: number) =>
    count === 0
      ? 'No map yet: choose methods here, or explain above.'
      : `${count === 1 ? 'The map' : `The ${count} maps`} explained above`,
  alwaysControls: (names: string) => `Always beside them, as controls: ${names}.`,
  add: 'Add methods',
  metrics: 'Metrics',
  find: 'Find a metric',
  findMethod: 'Find a method',
  noMatch: 'Nothing matches.',
  chosen: (count: number, all: number) => `${count} of ${all} chosen`,
  presets: 'Choose',
  preset: { small: 'the small set', each: 'one of each category', none: 'none' },
  imputers: 'Removed pixels are filled by',
  ofReference: 'the choice of each metric’s reference',
  imputersNote: 'Several fillings show whether a verdict hangs on the filling.',
  bothOrders: 'Both orders: most and least relevant first',
  budget: 'Budget, seconds (0: none)',
  draws: 'Fillings a score',
  drawsNote:
    'Some fillings are drawn at random. A score is then the mean over as many of them, each its own run of the metric, and stands with its spread.',
  spread: (draws: number, deviation: string, lowest: string, highest: string) =>
    `Mean of ${draws} fillings; they lie ${deviation} apart (standard deviation), from ${lowest} to ${highest}.`,
  size: (scores: string) => `${scores} scores to compute`,
  categories: {
    faithfulness: 'Faithfulness',
    localisation: 'Localisation',
    robustness: 'Robustness',
    complexity: 'Complexity',
    randomisation: 'Randomisation',
    axiomatic: 'Axioms',
    agreement: 'Agreement',
  } as Readonly<Record<string, string>>,
  asks: {
    faithfulness: 'Does the answer change as the map says?',
    localisation: 'Does the map find what is known to matter?',
    robustness: 'Does a slightly other picture get a slightly other map?',
    complexity: 'Does the map say it in few pixels?',
    randomisation: 'Does the map depend on what the network learned?',
    axiomatic: 'Does the map keep promises that hold exactly?',
    agreement: 'Do two maps say the same?',
  } as Readonly<Record<string, string>>,
  facts: {
    category: 'Category',
    direction: 'Better',
    range: 'Range',
    needs: 'Needs',
    imputer: 'Its reference fills by',
    sensitive: 'Hangs most on',
    random: 'Draws random numbers: repeat it with other seeds.',
  },
  needs: {
    imputer: 'a filling of removed pixels',
    explainer: 'the method that made the map',
    truth: 'a mask of what matters',
    set: 'other pictures',
    other: 'a second map',
    gradient: 'gradients',
  } as Readonly<Record<string, string>>,
  lacking: {
    truth: 'this picture has no mask',
    set: 'this network has no other pictures',
    gradient: 'this network gives no gradients',
    other: 'there is one map only',
  } as Readonly<Record<string, string>>,
  orders: { morf: 'most relevant first', lerf: 'least relevant first' },
  budgetUsed: (seconds: string, left: string) =>
    `The budget of ${seconds} was used up; ${left} were not reached. Go on to compute them: what is there is kept.`,
  cancelled: (left: string) => `The run was cancelled; ${left} were not reached.`,
  scores: (count: number) => (count === 1 ? '1 score' : `${count} scores`),
  unreached: 'not reached',
  took: (time: string, scored: string) => `${scored} in ${time}.`,
  undefinedCount: (count: number) => (count === 1 ? '1 is undefined here.' : `${count} are undefined here.`),
  good: (of: number) => `beats all ${of} controls`,
  mixed: (beats: number, of: number) => `beats ${beats} of ${of} controls`,
  poor: 'no better than any control',
  alone: 'no control to compare with',
  isControl: 'control',
  ranking: 'Ranking',
  allPlaces: (count: number) => `All ${count} places`,
  rankingLead:
    'By the mean place over a category’s metrics, controls included. The bar reaches from the best place to the worst: a long bar means that the metrics disagree.',
  place: (place: number) => `${place}.`,
  barAlt: (mean: string, best: string, worst: string) => `mean place ${mean}, from ${best} to ${worst}`,
  first: 'first',
  last: 'last',
  byMetrics: (count: number) => (count === 1 ? 'by 1 metric' : `by ${count} metrics`),
  controlAhead: (method: string, control: string) =>
    `${control} comes before ${method}: by these metrics, no explanation here is better than a map that knows nothing.`,
  controlTies: (method: string, control: string) =>
    `${method} and ${control} share the first place: by these metrics, it is no better than a map that knows nothing.`,
  beatenHere: (metric: string, method: string, value: string, controls: string) =>
    `${metric}: ${method} (${value}), the best explanation here, does not beat ${controls}. That alone is no reason for distrust: a map that knows nothing can be simple or steady too.`,
  winner: (method: string) => `${method} comes first.`,
  agreement: 'Do the metrics agree?',
  agreementLead:
    'Rank correlation of the maps’ places: 1 same order, 0 unrelated, −1 opposite. With few maps it jumps easily.',
  agreementTable: 'Rank correlations between metrics',
  noCorrelation: 'undefined: too few maps have both scores, or all of them are equal',
  disagree: (a: string, b: string, value: string) =>
    `${a} and ${b} disagree most (${value}): they put the maps in rather opposite orders, so neither alone is a verdict.`,
  agreeAll: 'No two metrics put the maps in opposite orders here.',
  ordersAgree: (metric: string, value: string) =>
    `${metric}: removing the most relevant first and the least relevant first agree (${value}).`,
  ordersDisagree: (metric: string, value: string) =>
    `${metric}: removing the most relevant first and the least relevant first do not agree (${value}). The filling, not the map, may decide.`,
  ordersNone: (metric: string) =>
    `${metric}: the two orders cannot be compared, since one of them tells no two maps apart.`,
  parallel: 'All metrics at once',
  parallelLead: 'One line a map; up is better on every axis, from the worst value here to the best.',
  parallelAlt: (maps: number, metrics: number) =>
    `Parallel coordinates of ${maps} maps over ${metrics} metrics; the same places are in the table.`,
  placesTable: 'Places: 1 is best',
  export: 'Save the report',
  exports: { json: 'Everything (JSON)', csv: 'Scores (CSV)', print: 'Print' },
  departures: 'Where we differ from Quantus, and why',
  printed: (picture: string, network: string) => `${picture}, seen by ${network}`,
};
