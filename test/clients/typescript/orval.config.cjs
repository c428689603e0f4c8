// The API is named in generated code, as orval's clients have no setting for it.
module.exports = {
  orders: {
    input: "openapi.yaml",
    output: { target: "generated/orval.ts", client: "fetch", baseUrl: process.env.API_URL },
  },
};
