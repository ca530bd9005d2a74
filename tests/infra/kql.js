// Binds queries of Azure's logs to tables: {tables: {name: columns}, queries: [text]} on stdin; what is wrong, by query, on stdout.
require("@kusto/language-service-next/bridge.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.js");
const { Language } = global.Kusto ?? Kusto;
const { TableSymbol, DatabaseSymbol } = Language.Symbols;
const asked = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const tables = Object.entries(asked.tables).map(([name, columns]) => TableSymbol.From(`(${columns})`).WithName(name));
const known = Language.GlobalState.Default.WithDatabase(new DatabaseSymbol.ctor("logs", tables));
const said = asked.queries.map(text => {
  const found = Language.KustoCode.ParseAndAnalyze(text, known).GetDiagnostics();
  return Array.from({ length: found.Count }, (_, number) => found.getItem(number).Message);
});
console.log(JSON.stringify(said));
