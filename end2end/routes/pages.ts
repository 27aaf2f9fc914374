// Every address of the program: what it answers and what stands at its top.
import { COMPARE, type Server } from '../helper';

export interface Route {
  name: string;
  /** Whether it is so long that looking at all of it takes most of a minute. */
  long?: boolean;
  path: (lanes: Server) => Promise<string>;
  status: number;
  heading: RegExp;
}

// One finished run for each program serves every test.
const finished = new WeakMap<Server, Promise<string>>();

function finishedRun(lanes: Server): Promise<string> {
  const known = finished.get(lanes) ?? lanes.done(COMPARE).then((view) => view.id);
  finished.set(lanes, known);
  return known;
}

export const ROUTES: Route[] = [
  { name: 'workbench', path: async () => '/', status: 200, heading: /^Workbench$/ },
  {
    name: 'runs',
    path: async (lanes) => (await finishedRun(lanes), '/runs'),
    status: 200,
    heading: /^Runs$/,
  },
  {
    name: 'run',
    path: async (lanes) => `/runs/${await finishedRun(lanes)}`,
    status: 200,
    heading: /^AI Technology Article/,
  },
  { name: 'docs', long: true, path: async () => '/docs', status: 200, heading: /^REST API/ },
  { name: 'tasks', path: async () => '/tasks', status: 200, heading: /^Tasks$/ },
  { name: 'new-task', path: async () => '/tasks/new', status: 200, heading: /^New task$/ },
  { name: 'built-in-task', path: async () => '/tasks/summary', status: 200, heading: /^Summary$/ },
  { name: 'unknown-task', path: async () => '/tasks/unknown', status: 404, heading: /no such task/ },
  { name: 'workflows', path: async () => '/workflows', status: 200, heading: /^Workflows$/ },
  { name: 'workflow', path: async () => '/workflows/idea-report', status: 200, heading: /^Idea report$/ },
  { name: 'new-workflow', path: async () => '/workflows/new', status: 200, heading: /^New workflow$/ },
  { name: 'unknown-workflow', path: async () => '/workflows/unknown', status: 404, heading: /no such workflow/ },
  { name: 'dashboard', path: async (lanes) => (await finishedRun(lanes), '/dashboard'), status: 200, heading: /^Dashboard$/ },
  { name: 'alerts', path: async () => '/alerts', status: 200, heading: /^Alerts$/ },
  { name: 'alert', path: async () => '/alerts/error-rate', status: 200, heading: /^Many calls fail$/ },
  { name: 'unknown-alert', path: async () => '/alerts/unknown', status: 404, heading: /no such rule/ },
  { name: 'webhooks', path: async () => '/settings/webhooks', status: 200, heading: /^Webhooks$/ },
  { name: 'unknown-webhook', path: async () => '/settings/webhooks/unknown', status: 404, heading: /no such webhook/ },
  { name: 'keys', path: async () => '/settings/keys', status: 200, heading: /^API keys$/ },
  { name: 'login', path: async () => '/login', status: 200, heading: /^Sign in$/ },
  { name: 'unknown-run', path: async () => '/runs/unknown', status: 404, heading: /./ },
  { name: 'unknown-page', path: async () => '/nope', status: 404, heading: /no page at this address/ },
];
