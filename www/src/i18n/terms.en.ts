/** Short explanations of the field's terms, each with the reference it follows. */
export const termsEn = {
  probability: {
    title: 'Probability',
    text: 'The network’s scores, squashed so that they add up to 100 %. It says how the network divides its belief among the classes it knows, not how often it is right.',
    reference: 'Guo et al. 2017, On Calibration of Modern Neural Networks, arXiv:1706.04599',
  },
  target: {
    title: 'Explained class',
    text: 'An explanation answers “why this class?”. Ask about another class and the map changes: try the runner-up.',
    reference: 'Simonyan et al. 2013, arXiv:1312.6034',
  },
  logit: {
    title: 'Explained quantity',
    text: 'The logit is a class’s score before it is turned into a probability. It moves with the evidence for that class alone; the probability also moves when other classes lose.',
    reference: 'Captum: choosing the target, captum.ai',
  },
  attribution: {
    title: 'Heat map',
    text: 'One number a pixel: how much it moved the answer. Orange speaks for the class, blue against it. What “moved” means differs from method to method, so compare several.',
    reference: 'Ancona et al. 2018, arXiv:1711.06104',
  },
  imputer: {
    title: 'Filling removed pixels',
    text: 'A pixel cannot simply be missing: something must take its place, and the network reacts to that too. Scores depend on this choice, so it is always stated.',
    reference: 'Rong et al. 2022 (ROAD), arXiv:2202.00449',
  },
  seed: {
    title: 'Seed',
    text: 'Methods that draw random numbers give the same result for the same seed. Change it to see how stable a map is.',
    reference: 'Petsiuk et al. 2018 (RISE), arXiv:1806.07421',
  },
  control: {
    title: 'Controls',
    text: 'Maps that know nothing of what the network learned: noise, a flat map, an edge detector, brightness. An explanation that does not beat them explains nothing.',
    reference: 'Adebayo et al. 2018, Sanity Checks for Saliency Maps, arXiv:1810.03292',
  },
  faithfulness: {
    title: 'Faithfulness',
    text: 'Does the answer change as the map says? Remove or reveal the pixels in the map’s order and watch the target.',
    reference: 'Samek et al. 2017, arXiv:1509.06321',
  },
  order: {
    title: 'Order: MoRF and LeRF',
    text: 'MoRF removes the most relevant pixels first: the answer should fall fast. LeRF removes the least relevant first: it should hold.',
    reference: 'Samek et al. 2017, arXiv:1509.06321; Tomsett et al. 2020, arXiv:1912.01451',
  },
  completeness: {
    title: 'Completeness gap',
    text: 'Some methods promise that all values sum to the change of the target. The gap is how far this run missed that sum; smaller is better.',
    reference: 'Sundararajan et al. 2017, arXiv:1703.01365',
  },
  passes: {
    title: 'Passes',
    text: 'How often the network was run: forward for an answer, backward for a gradient. It is the honest price of an explanation.',
    reference: 'Petsiuk et al. 2018, arXiv:1806.07421',
  },
};
