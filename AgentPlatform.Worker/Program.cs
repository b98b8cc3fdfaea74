using AgentPlatform.Api;
using AgentPlatform.ServiceDefaults;
using AgentPlatform.Worker.Engines;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddEngine();
builder.AddInferenceApi();

var app = builder.Build();
app.MapDefaultEndpoints();
app.MapInferenceApi();
app.Run();
