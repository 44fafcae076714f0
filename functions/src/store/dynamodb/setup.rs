//! The table itself: its keys and indexes, as `infra/template.yaml` makes them in an account.

use aws_sdk_dynamodb::{
    operation::create_table::CreateTableError,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
        ScalarAttributeType, TimeToLiveSpecification, TimeToLiveStatus,
    },
};

use super::{
    DynamoTable, failed, fault,
    items::{EXPIRES_AT, PARTITION, SORT, names_of},
};
use crate::store::{Index, Key, StoreError, Table as _};

impl DynamoTable {
    /// Whether the table is there and may be read: one read of an item that nobody writes.
    pub async fn check(&self) -> Result<(), StoreError> {
        self.get(&Key::new("lock#health", "lock"), crate::store::Consistency::Eventual).await.map(drop)
    }

    /// Makes the table, for places that have no template: emulators, and accounts set up by hand. There already is fine.
    pub async fn create(&self) -> Result<(), StoreError> {
        let incomplete = fault("describe the table");
        let schema = |partition: &str, sort: &str| {
            let element = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
            [(partition, KeyType::Hash), (sort, KeyType::Range)].map(|(name, kind)| element(name, kind))
        };
        let mut request =
            self.client.create_table().table_name(&self.place.name).billing_mode(BillingMode::PayPerRequest);
        let mut names = vec![PARTITION.to_owned(), SORT.to_owned()];
        for element in schema(PARTITION, SORT) {
            request = request.key_schema(element.map_err(&incomplete)?);
        }
        for index in Index::ALL {
            let (partition, sort) = names_of(index);
            let mut entry = GlobalSecondaryIndex::builder()
                .index_name(index.name())
                .projection(Projection::builder().projection_type(ProjectionType::KeysOnly).build());
            for element in schema(&partition, &sort) {
                entry = entry.key_schema(element.map_err(&incomplete)?);
            }
            request = request.global_secondary_indexes(entry.build().map_err(&incomplete)?);
            names.extend([partition, sort]);
        }
        for name in names {
            let attribute =
                AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
            request = request.attribute_definitions(attribute.map_err(&incomplete)?);
        }
        match request.send().await {
            // Perhaps by an earlier try that did not come to the end.
            Err(error) if matches!(error.as_service_error(), Some(CreateTableError::ResourceInUseException(_))) => {}
            Err(error) => {
                return Err(failed("make the table", self.place.failed("dynamodb:CreateTable", error)));
            }
            Ok(_) => {}
        }
        self.is_active().await?;
        if self.expires().await? {
            return Ok(());
        }
        let expiry = TimeToLiveSpecification::builder().enabled(true).attribute_name(EXPIRES_AT).build();
        let request = self.client.update_time_to_live().table_name(&self.place.name);
        let done = request.time_to_live_specification(expiry.map_err(&incomplete)?).send().await;
        let refused = |error| failed("let items expire", self.place.failed("dynamodb:UpdateTimeToLive", error));
        done.map(drop).map_err(refused)
    }

    async fn is_active(&self) -> Result<(), StoreError> {
        let waiting = aws_sdk_dynamodb::client::Waiters::wait_until_table_exists(&self.client);
        let done = waiting.table_name(&self.place.name).wait(std::time::Duration::from_mins(2)).await;
        let found = done.map_err(fault("wait for the table"))?.into_result().map_err(fault("wait for the table"))?;
        let indexes = found.table.into_iter().flat_map(|table| table.global_secondary_indexes.unwrap_or_default());
        let indexes = indexes.filter_map(|index| index.index_name).collect::<Vec<_>>();
        match Index::ALL.into_iter().find(|index| !indexes.iter().any(|name| name == index.name())) {
            Some(index) => {
                let name = &self.place.name;
                Err(fault("use the table")(format!("{name} is another table: it has no index {}", index.name())))
            }
            None => Ok(()),
        }
    }

    async fn expires(&self) -> Result<bool, StoreError> {
        let found = self.client.describe_time_to_live().table_name(&self.place.name).send().await;
        let found = found.map_err(|error| {
            failed("see whether items expire", self.place.failed("dynamodb:DescribeTimeToLive", error))
        })?;
        let status = found.time_to_live_description.and_then(|described| described.time_to_live_status);
        Ok(matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling)))
    }
}
